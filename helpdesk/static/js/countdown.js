// Lets what is left of a promise run down: [data-due] holds the instant, <body> the server's clock and the words.
// The arithmetic is that of templatetags/desk.py: a begun minute counts while time is left, a full one when it is over.
(() => {
  const { words: json, now } = document.body.dataset;
  if (!json || !now) return;
  const words = JSON.parse(json);
  const skew = Date.parse(now) - Date.now();
  const SOON = 3600, HOURS_ONLY = 600;

  const fill = (form, values) => form.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

  const spoken = (minutes, forms) => {
    const hours = Math.floor(minutes / 60);
    if (minutes < 60) return fill(forms.m, { minutes });
    if (minutes >= HOURS_ONLY) return fill(forms.h, { hours });
    return fill(forms.hm, { hours, minutes: String(minutes % 60).padStart(2, "0") });
  };

  const text = (left, form) => {
    const forms = form === "queue" ? words.short : words.long;
    if (left < 0) return fill(words.over, { time: spoken(Math.max(1, Math.floor(-left / 60)), forms) });
    const time = spoken(Math.max(1, Math.ceil(left / 60)), forms);
    return form === "queue" ? time : fill(words.left, { time });
  };

  const tick = () => {
    for (const one of document.querySelectorAll("[data-due]")) {
      const left = Math.floor((Date.parse(one.dataset.due) - Date.now() - skew) / 1000);
      const said = text(left, one.dataset.form);
      if (one.textContent !== said) one.textContent = said;
      const state = left < 0 ? "late" : left <= SOON ? "soon" : "";
      const whole = one.closest(".due, .clock");
      if (whole && (whole.dataset.state ?? "") !== state) {
        if (state) whole.dataset.state = state; else delete whole.dataset.state;
      }
    }
  };

  setInterval(tick, 30_000);
  document.addEventListener("visibilitychange", tick);
})();
