// Puts a text on the clipboard and says so: a button beside a read-only field, and the buttons at a ticket's number.
// Without script one selects and copies by hand.
(() => {
  const write = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
  };

  for (const field of document.querySelectorAll("input[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = field.dataset.copy;
    button.addEventListener("click", async () => {
      field.select();
      await write(field.value);
      button.textContent = field.dataset.copied;
    });
    field.after(button);
  }

  let quiet;
  const offer = () => { for (const box of document.querySelectorAll(".copies")) box.hidden = false; };
  offer();
  document.addEventListener("htmx:afterSettle", offer);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-text], [data-copy-link]");
    if (!button) return;
    const link = `${location.origin}${location.pathname}`;
    const said = document.getElementById("copied");
    const done = await write(button.dataset.copyText ?? link);
    said.textContent = done ? button.dataset.copied : said.dataset.failed;
    clearTimeout(quiet);
    quiet = setTimeout(() => { said.textContent = ""; }, 4000);
  });
})();
