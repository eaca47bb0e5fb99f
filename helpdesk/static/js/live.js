// Refreshes [data-live] through htmx every 20 seconds while somebody looks, never under a selection.
(() => {
  const live = document.querySelector("[data-live]");
  if (!live || !window.htmx) return;
  const EVERY = 20_000;
  let last = Date.now();

  const busy = () => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && live.contains(selection.anchorNode);
  };

  const refresh = () => {
    if (document.visibilityState !== "visible" || busy() || Date.now() - last < EVERY - 500) return;
    last = Date.now();
    htmx.trigger(live, "refresh");
  };

  setInterval(refresh, EVERY);
  document.addEventListener("visibilitychange", refresh);
})();
