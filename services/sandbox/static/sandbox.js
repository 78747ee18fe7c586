// Looks for news every two seconds while the page is in view; without this script a reload does the same.
(() => {
  "use strict";
  const talk = () => document.querySelector("[data-follow]");
  const toEnd = () => { const box = talk(); if (box) box.scrollTop = box.scrollHeight; };
  toEnd();
  document.querySelector("[data-focus]")?.focus({ preventScroll: true });

  setInterval(async () => {
    const part = document.querySelector("[data-live]");
    if (document.hidden || !part) return;
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const time = fresh.querySelector("footer time"), shown = document.querySelector("footer time");
    if (time && shown) shown.textContent = time.textContent;
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.innerHTML) return;
    const atEnd = part.scrollHeight - part.scrollTop - part.clientHeight < 80;
    const held = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    part.innerHTML = next.innerHTML;
    if (held) part.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
    if (atEnd) toEnd();
  }, 2000);
})();
