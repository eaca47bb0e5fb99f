// Filing: shows the promise that belongs to the two answers, and the preview without leaving the page.
(() => {
  const form = document.querySelector("form[data-filing]");
  if (!form) return;

  const pick = () => {
    // Looked up each time: another category brings other questions.
    const box = form.querySelector("[data-matrix]");
    const matrix = JSON.parse(box.dataset.matrix);
    const data = new FormData(form);
    const priority = matrix[`${data.get("impact")} ${data.get("urgency")}`];
    for (const promise of box.querySelectorAll("[data-priority]")) promise.hidden = promise.dataset.priority !== priority;
    box.querySelector("[data-no-promise]").hidden = Boolean(priority);
  };
  form.addEventListener("change", pick);
  form.addEventListener("htmx:afterSwap", pick);
  pick();

  const button = form.querySelector("[data-preview]");
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    const body = new URLSearchParams({
      text: form.elements.description.value,
      csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
    });
    try {
      const answer = await fetch(button.dataset.preview, { method: "POST", body });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      document.getElementById("preview").innerHTML = await answer.text();
    } catch {
      // The server shows the preview with the whole page.
      form.requestSubmit(button);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
})();
