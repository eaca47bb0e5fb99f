// Single keys: an element with data-key acts when its key is pressed, and "?" shows them all. Never while somebody
// types, holds a modifier or has a dialog open; never where the person has switched them off (<body data-shortcuts>).
(() => {
  const sheet = document.getElementById("shortcuts");
  for (const opener of document.querySelectorAll("[data-opens-shortcuts]")) {
    opener.hidden = !sheet;
    opener.addEventListener("click", () => { opener.closest("[popover]")?.hidePopover(); sheet.showModal(); });
  }
  if (!("shortcuts" in document.body.dataset)) return;

  const WRITTEN = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  const TWICE = 600;
  let before = "", pressedAt = 0, dots = 0;

  const visible = (one) => one.checkVisibility ? one.checkVisibility({ visibilityProperty: true }) : one.offsetParent !== null;

  // A field in a closed leaf is shown first; one that comes with an answer of the server takes the focus when it is there.
  const act = (one) => {
    const closed = one.closest("details:not([open])");
    if (closed) closed.open = true;
    if (one.matches("summary")) return one.parentElement.querySelector("input:not([type=hidden]), textarea, select, button")?.focus();
    if (one.matches("[type=radio]")) {
      one.checked = true;
      one.dispatchEvent(new Event("change", { bubbles: true }));
      return one.form?.querySelector("textarea")?.focus();
    }
    if (!one.matches(WRITTEN)) return one.click();
    one.focus();
    one.select?.();
  };

  const press = (key) => {
    const found = [...document.querySelectorAll(`[data-key~="${CSS.escape(key)}"]`)];
    const one = found.find(visible) ?? found.find((hidden) => hidden.matches("a") || hidden.closest("details:not([open])"));
    if (one) act(one);
    return Boolean(one);
  };

  // The queue's rows, by the links in them.
  const step = (by) => {
    const rows = [...document.querySelectorAll(".queue .c-title a")];
    if (!rows.length) return false;
    const here = rows.indexOf(document.activeElement);
    const to = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by];
    to?.focus();
    to?.scrollIntoView({ block: "nearest" });
    return Boolean(to);
  };

  const toggle = () => {
    const other = document.querySelector(".composer [name=kind]:not(:checked)");
    if (other) act(other);
    return Boolean(other);
  };

  const copy = () => {
    const ways = document.querySelectorAll("[data-copy-text], [data-copy-link]");
    const again = before === "." && Date.now() - pressedAt < TWICE;
    dots = again ? Math.min(dots + 1, ways.length - 1) : 0;
    ways[dots]?.click();
    return ways.length > 0;
  };

  const close = (field) => {
    const open = field?.closest("details.opens[open], details.more[open]") ?? document.querySelector("details.opens[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); return; }
    if (field?.matches(WRITTEN)) field.blur();
  };

  const does = (key) => {
    if (before === "g" && Date.now() - pressedAt < 1500) return press(`g${key}`);
    const inQueue = document.activeElement?.matches(".queue .c-title a");
    switch (key) {
      case "?": sheet?.showModal(); return Boolean(sheet);
      case ".": return copy();
      case "i": return toggle();
      case "j": return step(1) || press("j");
      case "k": return step(-1) || press("k");
      case "ArrowDown": return inQueue && step(1);
      case "ArrowUp": return inQueue && step(-1);
      case "s": return press("/");
      default: return key.length === 1 && press(key);
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const field = event.target instanceof Element ? event.target : null;
    if (event.key === "Escape") { if (!document.querySelector(":popover-open")) close(field); return; }
    if (event.repeat && !["j", "k", "ArrowDown", "ArrowUp"].includes(event.key)) return;
    if (field?.closest(WRITTEN) || document.querySelector(":popover-open")) return;
    if (does(event.key)) event.preventDefault();
    before = event.key;
    pressedAt = Date.now();
  });

  // Where an answer of the server brought what a key asked for.
  document.addEventListener("htmx:afterSettle", (event) => event.target.querySelector?.("[data-key-focus]")?.focus());
})();
