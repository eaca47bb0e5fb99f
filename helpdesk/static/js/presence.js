// On a ticket's page: says every ten seconds that somebody looks, types or looks away, and shows who else does and what
// was said meanwhile. It asks quietly: when the session is over it stops, and nothing on the page is lost.
(() => {
  const form = document.getElementById("presence");
  if (!form) return;
  const present = document.getElementById("present");
  const moved = document.getElementById("moved");
  const EVERY = 10_000, TYPING = 8_000;
  let typedAt = 0, said = "", timer, stopped = false, failed = 0;

  const state = () => {
    if (document.visibilityState !== "visible" || !document.hasFocus()) return "away";
    return Date.now() - typedAt < TYPING ? "typing" : "viewing";
  };

  const body = (what) => new URLSearchParams({
    state: what,
    seen: form.dataset.seen,
    version: form.dataset.version,
    from: form.dataset.from,
    csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
  });

  const show = (box, html) => {
    // The same again is not said again.
    if (box.dataset.shown === html) return;
    box.dataset.shown = html;
    box.innerHTML = html;
    window.htmx?.process(box);
  };

  const beat = async () => {
    clearTimeout(timer);
    if (stopped) return;
    said = state();
    try {
      const answer = await fetch(form.action, { method: "POST", body: body(said) });
      if (answer.redirected || answer.status === 404 || answer.status === 403) { stopped = true; return; }
      if (!answer.ok) throw new Error(answer.statusText);
      const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
      show(present, parts.getElementById("is-present").innerHTML);
      show(moved, parts.getElementById("is-moved").innerHTML);
      failed = 0;
    } catch {
      failed += 1;
    }
    // Out of sight one beat says "away" and silence does the rest.
    if (document.visibilityState === "visible") timer = setTimeout(beat, EVERY * Math.min(6, 1 + failed));
  };

  const changed = () => { if (state() !== said) beat(); };
  document.addEventListener("input", (event) => {
    if (!event.target.closest(".composer")) return;
    typedAt = Date.now();
    changed();
  });
  document.addEventListener("visibilitychange", changed);
  addEventListener("focus", changed);
  addEventListener("blur", changed);
  addEventListener("pagehide", () => navigator.sendBeacon(form.action, body("gone")));
  addEventListener("pageshow", (event) => { if (event.persisted) beat(); });
  // What came is shown: from now on only what comes later is news.
  document.addEventListener("htmx:afterSwap", () => {
    const shown = document.getElementById("timeline");
    if (!shown) return;
    if (form.dataset.seen === shown.dataset.seen && form.dataset.version === shown.dataset.version) return;
    Object.assign(form.dataset, { seen: shown.dataset.seen, version: shown.dataset.version });
    // What stands on the page now has been read: a reply need not be stopped by it.
    for (const field of document.getElementsByName("last_seen_message")) field.value = shown.dataset.seen;
    show(moved, "");
  });
  beat();
})();
