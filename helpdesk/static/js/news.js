// Tells what happened since one last looked: a count in the tab's title, a list in the head, a notification where the
// person wants one. One tab asks for all of them: what it hears lies in the browser's storage, as numbers without texts.
(() => {
  const box = document.getElementById("news");
  if (!box) return;
  const { from, person } = box.dataset;
  const button = box.querySelector("button"), spoken = box.querySelector("[role=status]");
  const list = document.querySelector("#news-list ul");
  const KEY = `news-${person}`, VISIBLE = 15_000, HIDDEN = 60_000, KEPT = 800, LISTED = 50;
  const nothing = { since: "", told: [], unseen: [], askedAt: 0 };
  let memory = nothing, failed = 0, stopped = false, timer;

  const read = () => { try { return { ...nothing, ...JSON.parse(localStorage.getItem(KEY)) }; } catch { return memory; } };
  const write = (state) => { memory = state; try { localStorage.setItem(KEY, JSON.stringify(state)); } catch { /* this tab alone remembers */ } };
  const word = (item) => box.dataset[item.kind] ?? "";

  const show = () => {
    const { unseen } = read();
    const count = unseen.length > 99 ? "99+" : String(unseen.length);
    const title = document.title.replace(/^\(\d+\+?\) /, "");
    const wanted = unseen.length ? `(${count}) ${title}` : title;
    if (document.title !== wanted) document.title = wanted;
    button.hidden = !unseen.length;
    button.querySelector("[data-count]").textContent = count;
    if (!unseen.length && list.closest(":popover-open")) list.closest("[popover]").hidePopover();
    list.replaceChildren(...unseen.slice(-LISTED).reverse().map((item) => {
      const link = document.createElement("a"), ref = document.createElement("b"), row = document.createElement("li");
      ref.textContent = item.ref;
      link.href = `/tickets/${item.ref}/`;
      link.append(ref, ` ${word(item)} `, item.time);
      row.append(link);
      return row;
    }));
  };

  const notify = (item) => {
    if (!("notify" in box.dataset) || document.hasFocus() || window.Notification?.permission !== "granted") return;
    try {
      const note = new Notification(`${item.ref} ${word(item)}`, { body: item.title, tag: item.key, lang: document.documentElement.lang });
      note.addEventListener("click", () => { window.focus(); location.assign(`/tickets/${item.ref}/`); note.close(); });
    } catch { /* some telephones allow them to service workers only */ }
  };

  const here = () => location.pathname.match(/^\/tickets\/(HD-\d+)\//)?.[1];

  const hear = (state, told) => {
    const fresh = told.filter((item) => !state.told.includes(item.key));
    state.told = [...state.told, ...fresh.map((item) => item.key)].slice(-KEPT);
    // Whoever looks at the ticket sees it there.
    const news = fresh.filter((item) => item.ref !== here() || !document.hasFocus());
    state.unseen = [...state.unseen, ...news.map(({ key, kind, ref, time }) => ({ key, kind, ref, time }))].slice(-KEPT);
    return news;
  };

  const every = () => (document.visibilityState === "visible" ? VISIBLE : HIDDEN) * 2 ** Math.min(failed, 4);

  const ask = async () => {
    const before = read();
    // Until the first answer there is no mark to ask from, and what happens meanwhile would be missed: a page that is left
    // before its answer came must not make the next one wait.
    if (before.since && Date.now() - before.askedAt < every() - 1_000 && Date.now() >= before.askedAt) return;
    write({ ...before, askedAt: Date.now() });
    try {
      const answer = await fetch(`${from}?since=${encodeURIComponent(before.since)}`);
      if (answer.redirected || answer.status === 404 || answer.status === 403) { stopped = true; return; }
      if (!answer.ok) throw new Error(answer.statusText);
      const { since, news } = await answer.json();
      const state = { ...read(), since };
      const fresh = hear(state, news);
      write(state);
      show();
      if (fresh.length) spoken.textContent = fresh.map((item) => `${item.ref}: ${word(item)}`).join(", ");
      fresh.forEach(notify);
      failed = 0;
    } catch {
      failed += 1;
    }
  };

  const tick = async () => {
    clearTimeout(timer);
    if (navigator.onLine && !stopped) {
      if (navigator.locks) await navigator.locks.request(KEY, { ifAvailable: true }, (lock) => lock && ask());
      else await ask();
    }
    if (!stopped) timer = setTimeout(tick, every());
  };

  const see = (keep) => {
    const state = read();
    const unseen = state.unseen.filter(keep);
    if (unseen.length !== state.unseen.length) write({ ...state, unseen });
    show();
  };

  document.querySelector("#news-list [data-clear]").addEventListener("click", () => see(() => false));
  addEventListener("storage", (event) => { if (event.key === KEY) show(); });
  addEventListener("online", tick);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") tick(); });
  // A search brings a title of its own.
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("submit", (event) => {
    if (event.target.action?.includes("/logout/")) localStorage.removeItem(KEY);
  });
  see((item) => item.ref !== here());
  tick();
})();
