// Counts down while a reply can be taken back: [data-until] holds the instant, [data-sent] what is said once it is gone.
(() => {
  const bars = document.querySelectorAll("[data-until]");
  if (!bars.length) return;
  const skew = Date.parse(document.body.dataset.now) - Date.now() || 0;

  const tick = () => {
    let running = false;
    for (const bar of document.querySelectorAll("[data-until]")) {
      const left = Math.ceil((Date.parse(bar.dataset.until) - Date.now() - skew) / 1000);
      running ||= left > 0;
      const seconds = bar.querySelector("[data-seconds]");
      if (left > 0) { if (seconds) seconds.textContent = left; continue; }
      bar.querySelector("button")?.remove();
      const words = bar.querySelector("[role=status]");
      if (words) words.textContent = bar.dataset.sent;
      delete bar.dataset.until;
    }
    if (!running) clearInterval(timer);
  };

  const timer = setInterval(tick, 1000);
  tick();
})();
