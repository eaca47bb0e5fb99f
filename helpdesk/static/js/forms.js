// A form on its way says so and is not sent again by a second click; the summary of errors takes the focus.
(() => {
  const release = () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
    // If no answer comes, it may be tried again: the server counts the form once anyway.
    setTimeout(release, 10_000);
  });

  // A page that comes back from the browser's memory can be sent again.
  addEventListener("pageshow", release);

  document.getElementById("errors")?.focus();
})();
