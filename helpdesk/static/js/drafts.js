// Saves what stands in the composer every few seconds, when one leaves the field and when the page goes out of sight.
// One save at a time, each naming the draft it stands on: what another window saved is never overwritten. A session that
// ended takes nothing along: the words stay in the page, and those of a form that was sent too late come back after login.
(() => {
  const AFTER = 3_000, LATER = 15_000, ANSWER = 10_000, SMALL = 60_000;

  // The page that says one was logged out: keeps the words for the ticket's page in this very tab.
  const late = document.querySelector("[data-kept]");
  if (late) {
    const words = { writer: sessionStorage.getItem("writer"), kind: late.dataset.kind, text: late.value };
    try {
      sessionStorage.setItem(`kept ${late.dataset.kept}`, JSON.stringify(words));
      if (words.writer) document.querySelector("[data-kept-word]").hidden = false;
    } catch { /* They stand on the page, to be copied. */ }
    return;
  }

  const box = document.querySelector("[data-draft]");
  if (!box) return;
  const form = box.closest("form");
  const text = form.querySelector("textarea[name=body]");
  const line = box.querySelector("[data-draft-line]");
  const said = box.querySelector("[data-draft-said]");
  const data = box.dataset;

  const kind = () => new FormData(form).get("kind") ?? "";
  const words = () => `${kind()}\n${text.value}`;
  let saved = "unsaved" in data ? null : words();
  let timer, under, failing = false, held = false, stopped = false;

  const say = (word, link) => {
    const now = [word];
    if (link) {
      const way = document.createElement("a");
      Object.assign(way, { href: link, target: "_blank", textContent: data.logIn });
      now.push(" ", way);
    }
    if (said.dataset.word === word) return;
    said.dataset.word = word;
    said.replaceChildren(...now);
  };

  // The same line again is not written again: whoever is about to press a button in it keeps it.
  const show = (html) => {
    const part = new DOMParser().parseFromString(html, "text/html").body;
    const stamp = part.querySelector("[name=draft_at]");
    const mine = line.querySelector("[name=draft_at]");
    if (stamp) mine.value = stamp.value;
    stamp?.remove();
    if (part.querySelector("[name=over]") || part.textContent.trim() !== line.textContent.trim()) line.replaceChildren(mine, ...part.childNodes);
  };

  // After a login elsewhere the page gets its new token, if the same person is there and the ticket still opens.
  const welcome = async () => {
    const answer = await fetch(location.pathname);
    if (answer.status === 404) { stopped = true; say(data.gone); return false; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("[data-draft], #kept-draft") && page.querySelector("[name=csrfmiddlewaretoken]");
    const writer = page.querySelector("[data-writer]")?.dataset.writer;
    if (!answer.ok || answer.redirected || !token || writer !== data.writer) {
      say(data.loggedOut, `/accounts/login/?next=${encodeURIComponent(location.pathname)}`);
      return false;
    }
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token.value;
    return true;
  };

  const post = (over) => {
    const body = new URLSearchParams({
      quiet: "1",
      kind: kind(),
      body: text.value,
      draft_at: form.elements.draft_at.value,
      csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
      ...(over === undefined ? {} : { over }),
    });
    under = new AbortController();
    return fetch(data.draft, { method: "POST", body, signal: under.signal, keepalive: String(body).length < SMALL });
  };

  const save = async (over) => {
    clearTimeout(timer);
    timer = undefined;
    const now = words();
    if (stopped || under || (over === undefined && (held || now === saved))) return;
    try {
      let answer = await post(over);
      if (answer.redirected || answer.status === 403) {
        failing = true;
        if (!(await welcome())) return;
        answer = await post(over);
      }
      if (answer.status === 404) { failing = stopped = true; say(data.gone); return; }
      if (![200, 409, 422].includes(answer.status)) throw new Error(answer.statusText);
      show(await answer.text());
      say("");
      failing = answer.status !== 200;
      held = answer.status === 409;
      saved = now;
    } catch (error) {
      if (error.name === "AbortError") return;
      failing = true;
      say(data.offline);
      timer = setTimeout(save, LATER);
    } finally {
      under = undefined;
      if (!failing && !timer && words() !== saved) soon();
    }
  };

  const soon = () => { timer ??= setTimeout(() => save(), AFTER); };

  form.addEventListener("input", soon);
  form.addEventListener("change", (event) => { if (event.target.name === "kind") soon(); });
  text.addEventListener("blur", () => save());
  document.addEventListener("visibilitychange", () => save());
  addEventListener("pagehide", () => save());
  addEventListener("focus", () => { if (failing) save(); });
  addEventListener("beforeunload", (event) => { if (failing && !stopped && words() !== saved) event.preventDefault(); });

  box.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=save], button[name=over]");
    if (!button) return;
    event.preventDefault();
    held = false;
    save(button.name === "over" ? button.value : undefined);
  });

  // What is sent is no draft: a save under way is called back. Where no answer comes, saving goes on.
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    timer = undefined;
    stopped = true;
    under?.abort();
    setTimeout(() => { stopped = false; }, ANSWER);
  });

  const restore = () => {
    sessionStorage.setItem("writer", data.writer);
    const key = `kept ${location.pathname}`;
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    sessionStorage.removeItem(key);
    if (!kept || kept.writer !== data.writer || text.value.includes(kept.text)) return;
    text.value = kept.text.includes(text.value) ? kept.text : `${text.value}\n\n${kept.text}`;
    // Words of a note stay a note.
    const mode = [...form.querySelectorAll("[name=kind]")].find((one) => one.value === kept.kind);
    if (mode && kept.kind === "note") mode.checked = true;
    say(data.restored);
    soon();
  };
  try { restore(); } catch { /* No storage: nothing was kept there. */ }
  if (saved === null) soon();
})();
