// Keeps the console fresh: at a topic (no health data) the page is fetched, and parts marked data-live="topic ..." take
// their new content; so do the others, unless they are read aloud.
(() => {
  "use strict";
  const stale = new Set();
  let waiting = false;

  const busy = (part) =>
    (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button"))
    || part.querySelector("form[data-touched], details[open] form");

  const swap = (part, next) => {
    const open = new Set([...part.querySelectorAll("details[open] > summary")].map((it) => it.textContent));
    for (const it of next.querySelectorAll("summary")) it.parentNode.open ||= open.has(it.textContent);
    part.replaceWith(document.importNode(next, true));
  };

  async function refetch() {
    waiting = false;
    const named = new Set(stale);
    const due = (part) => named.has("all") || part.dataset.live.split(" ").some((it) => named.has(it));
    const parts = [...document.querySelectorAll("[data-live]")];
    stale.clear();
    if (!parts.some(due)) return;
    const page = await fetch(location.href, { headers: { "X-Keepwell-Live": "1" } }).catch(() => null);
    if (!page?.ok || page.redirected) return;
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
    for (const part of parts) {
      const next = fresh.getElementById(part.id);
      if (next && !busy(part) && (due(part) || !part.ariaLive)) swap(part, next);
      else if (next && due(part)) part.dataset.live.split(" ").forEach((it) => stale.add(it));
    }
  }

  const soon = () => { if (!waiting && stale.size) { waiting = true; setTimeout(refetch, 150); } };
  addEventListener("input", (event) => event.target.form?.setAttribute("data-touched", ""));
  addEventListener("focusout", soon);
  const events = new EventSource(document.body.dataset.events);
  events.addEventListener("refetch", (event) => { stale.add(event.data); soon(); });
  addEventListener("pagehide", () => events.close());
})();
