// Keeps the chosen appearance. Runs before the first paint, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const known = ["light", "dark"];
  const read = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = (theme) => known.includes(theme) ? root.setAttribute("data-theme", theme) : root.removeAttribute("data-theme");
  apply(read());
  document.addEventListener("DOMContentLoaded", () => {
    for (const radio of document.querySelectorAll(".themes [name=theme]")) {
      radio.checked = radio.value === (known.includes(read()) ? read() : "system");
      radio.addEventListener("change", () => {
        try { localStorage.setItem("theme", radio.value); } catch { /* private mode: it lasts as long as the page */ }
        apply(radio.value);
      });
    }
  });
})();
