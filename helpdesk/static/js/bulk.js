// Picks rows of the queue: a range with Shift, all at once. What is picked stays so when the list refreshes itself.
(() => {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const said = bar.querySelector("[data-picked]");
  const boxes = () => [...document.querySelectorAll('input[name="pick"][form="bulk"]')];
  const all = () => document.querySelector("[data-pick-all]");
  let last = null;
  let kept = new Set();

  const count = () => {
    const rows = boxes();
    const picked = rows.filter((box) => box.checked);
    kept = new Set(picked.map((box) => box.value));
    said.textContent = said.dataset.picked.replace("#", picked.length);
    const whole = all();
    if (!whole) return;
    whole.hidden = false;
    whole.checked = rows.length > 0 && picked.length === rows.length;
    whole.indeterminate = picked.length > 0 && picked.length < rows.length;
  };

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (box.matches?.("[data-pick-all]")) {
      for (const one of boxes()) one.checked = box.checked;
    } else if (box.matches?.('input[name="pick"]')) {
      const rows = boxes();
      const from = rows.findIndex((one) => one.value === last);
      const to = rows.indexOf(box);
      if (event.shiftKey && from >= 0)
        for (const one of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
      last = box.value;
    } else return;
    count();
  });
  bar.addEventListener("reset", () => setTimeout(count));
  document.addEventListener("htmx:afterSwap", () => {
    for (const one of boxes()) one.checked = kept.has(one.value);
    count();
  });
  addEventListener("pageshow", count);
})();
