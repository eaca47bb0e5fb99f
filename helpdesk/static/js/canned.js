// In the composer: a canned reply goes where the cursor is. The list is the server's answer; what was typed stays,
// whatever becomes of the request. Two colons at the beginning of a word open the list too.
(() => {
  const picker = document.getElementById("canned");
  const text = document.getElementById("body");
  if (!picker || !text) return;
  const find = document.getElementById("canned-find");
  const summary = picker.querySelector("summary");
  const list = document.getElementById("canned-list");
  const leaf = picker.querySelector(".leaf");
  const ASKED = /(^|\s)::$/;
  let asked = false;

  picker.addEventListener("toggle", () => { if (picker.open) find.focus(); else asked = false; });

  text.addEventListener("input", (event) => {
    if (event.isComposing || event.inputType !== "insertText") return;
    if (!ASKED.test(text.value.slice(0, text.selectionStart))) return;
    asked = true;
    if (!picker.open) summary.click();
  });

  const put = (words) => {
    const to = text.selectionEnd;
    const from = asked && ASKED.test(text.value.slice(0, text.selectionStart)) ? text.selectionStart - 2 : text.selectionStart;
    picker.open = false;
    text.focus();
    text.setRangeText(words, from, to, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const failed = () => {
    const word = leaf.querySelector(".error") ?? leaf.appendChild(document.createElement("p"));
    word.className = "error";
    word.setAttribute("role", "alert");
    word.textContent = leaf.dataset.failed;
  };

  picker.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-canned]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.dataset.canned);
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      put(await answer.text());
      leaf.querySelector(".error")?.remove();
    } catch {
      failed();
    }
  });

  // Down from the field and through the links; Enter in the field takes the first.
  picker.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("[data-canned]")];
    const here = links.indexOf(document.activeElement);
    if (event.isComposing) return;
    if (event.key === "Enter" && event.target === find) { event.preventDefault(); links[0]?.click(); }
    if (event.key === "ArrowDown") { event.preventDefault(); links[Math.min(here + 1, links.length - 1)]?.focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); (links[here - 1] ?? find).focus(); }
  });
})();
