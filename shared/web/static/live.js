// Keeps the console fresh. The server says only "fetch this again" (a topic, never health data);
// the page is fetched once more and the parts marked data-live="topic ..." take their new content.
// Without this script every page works the same, only not by itself.
(() => {
  "use strict";
  const stale = new Set();
  let waiting = false;

  const busy = (part) =>
    part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button")
    || part.querySelector("form[data-touched], details[open] form") !== null;

  async function refetch() {
    waiting = false;
    const topics = new Set(stale);
    const parts = [...document.querySelectorAll("[data-live]")].filter((part) =>
      topics.has("all") || part.dataset.live.split(" ").some((topic) => topics.has(topic)));
    stale.clear();
    if (parts.length === 0) return;
    const answer = await fetch(location.href, { headers: { "X-Keepwell-Live": "1" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const next = fresh.getElementById(part.id);
      if (next === null || next.innerHTML === part.innerHTML) continue;
      if (busy(part)) part.dataset.live.split(" ").forEach((topic) => stale.add(topic));
      else part.replaceWith(document.importNode(next, true));
    }
  }

  const soon = () => { if (!waiting && stale.size) { waiting = true; setTimeout(refetch, 150); } };
  document.addEventListener("input", (event) => event.target.form?.setAttribute("data-touched", ""));
  document.addEventListener("focusout", soon);
  const source = document.body.dataset.events;
  if (source && "EventSource" in window) {
    const events = new EventSource(source);
    events.addEventListener("refetch", (event) => { stale.add(event.data); soon(); });
    addEventListener("pagehide", () => events.close());
  }
})();
