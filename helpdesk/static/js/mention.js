// Colleagues to choose from while "@li" is typed in an internal note. Without this the name is typed whole.
"use strict";
(() => {
  const WAIT_MS = 150;
  const BEGUN = /(?:^|[^A-Za-z0-9._%+-])[@＠]([^\s@＠]{0,40})$/u;
  let timer = 0, asked = 0;

  const listOf = (field) => document.getElementById("mention-list") || field.insertAdjacentElement("afterend", make(field));

  function make(field) {
    const list = document.createElement("ul");
    list.id = "mention-list";
    list.className = "mentions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", field.dataset.mentionLabel);
    list.hidden = true;
    list.addEventListener("pointerdown", (event) => {
      const option = event.target.closest("[role=option]");
      if (!option) return;
      event.preventDefault();
      write(field, option);
    });
    return list;
  }

  const begun = (field) => {
    const form = field.form, kind = form && form.elements.kind;
    if (kind && kind.value !== "note") return null;
    const found = BEGUN.exec(field.value.slice(0, field.selectionStart));
    return found ? found[1] : null;
  };

  function close(field) {
    asked += 1;
    window.clearTimeout(timer);
    const list = document.getElementById("mention-list");
    if (list) list.hidden = true;
    field.removeAttribute("aria-activedescendant");
  }

  async function look(field, typed) {
    const turn = (asked += 1);
    let found = [];
    try {
      const answer = await fetch(`${field.dataset.mention}?q=${encodeURIComponent(typed)}`, { headers: { Accept: "application/json" } });
      if (answer.ok) found = (await answer.json()).colleagues;
    } catch { return; }
    if (turn === asked) show(field, found);
  }

  function show(field, found) {
    if (!found.length) return close(field);
    const list = listOf(field);
    list.replaceChildren(...found.map((one, n) => {
      const option = document.createElement("li"), hint = document.createElement("span");
      option.id = `mention-${n}`;
      option.setAttribute("role", "option");
      option.dataset.write = one.write;
      option.textContent = one.name;
      hint.textContent = one.hint;
      option.append(hint);
      return option;
    }));
    list.hidden = false;
    choose(field, list, 0);
  }

  function choose(field, list, n) {
    const options = [...list.children];
    const at = (n + options.length) % options.length;
    options.forEach((option, m) => option.setAttribute("aria-selected", String(m === at)));
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-activedescendant", options[at].id);
    options[at].scrollIntoView({ block: "nearest" });
  }

  function write(field, option) {
    const end = field.selectionStart, typed = begun(field);
    close(field);
    if (typed === null) return;
    field.setRangeText(`${option.dataset.write} `, end - typed.length, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close(field);
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches || !field.matches("textarea[data-mention]")) return;
    const typed = begun(field);
    if (typed === null) return close(field);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => look(field, typed), WAIT_MS);
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target, list = document.getElementById("mention-list");
    if (!list || list.hidden || !field.matches("textarea[data-mention]") || event.isComposing) return;
    const now = [...list.children].findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") choose(field, list, now + 1);
    else if (event.key === "ArrowUp") choose(field, list, now - 1);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") write(field, list.children[now]);
    else if (event.key === "Escape") close(field);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("focusout", (event) => {
    if (event.target.matches && event.target.matches("textarea[data-mention]")) close(event.target);
  });
})();
