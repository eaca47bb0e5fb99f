// Files of a form: dropped, pasted or chosen, each is sent at once and shown with its progress; the form then carries
// their numbers. One at a time, so that a slow line is not shared. Without this script the form sends them itself.
(() => {
  const BIGGEST = 25 * 1024 * 1024, MOST = 10, TRIES = 3;
  const fill = (form, name) => form.replace("%(name)s", name);
  const size = (bytes) => bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
  const make = (tag, attributes = {}, ...inside) => {
    const one = Object.assign(document.createElement(tag), attributes);
    one.append(...inside);
    return one;
  };

  const begin = (box) => {
    const words = box.dataset, form = box.closest("form"), list = box.querySelector(".uploads");
    const picker = box.querySelector("input[type=file]"), zone = box.querySelector(".drop"), status = box.querySelector("[data-said]");
    const waiting = [];
    let running = null, wanted = null;

    const say = (text) => { status.textContent = text; };
    const icon = (name) => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS(svg.namespaceURI, "use");
      svg.setAttribute("class", "icon");
      svg.setAttribute("aria-hidden", "true");
      use.setAttribute("href", `${words.icons}#${name}`);
      svg.append(use);
      return svg;
    };
    const button = (label, shape, act) => {
      const one = make("button", { type: "button", className: "button button-quiet button-icon" }, icon(shape), make("span", { className: "visually-hidden", textContent: label }));
      one.addEventListener("click", act);
      return one;
    };
    const token = () => form.elements.csrfmiddlewaretoken.value;
    const settled = () => !running && !waiting.length;

    const row = (file, name) => {
      const note = make("small", { textContent: size(file.size) });
      const line = make("li", {}, icon(file.type.startsWith("image/") ? "image" : "file"), make("span", {}, make("b", { textContent: name }), note), make("span"), make("span"));
      list.append(line);
      return { file, name, line, note, tries: 0 };
    };
    const state = (one, text, middle, ...end) => {
      one.note.textContent = text ? `${size(one.file.size)} · ${text}` : size(one.file.size);
      one.line.children[2].replaceChildren(...(middle ? [middle] : []));
      one.line.children[3].replaceChildren(...end);
    };
    const forget = (one) => {
      one.line.remove();
      picker.focus();
      maybe();
    };
    const bad = (one, text, again) => {
      one.line.dataset.state = "bad";
      const retry = again ? [make("button", { type: "button", className: "button button-quiet", textContent: words.again, onclick: () => { one.tries = 0; delete one.line.dataset.state; queue(one); } })] : [];
      state(one, text, null, ...retry, button(fill(words.take, one.name), "close", () => forget(one)));
      say(`${one.name}: ${text}`);
      wanted = null;
    };
    const done = (one, told) => {
      const number = make("input", { type: "hidden", name: "files", value: told.id });
      one.line.querySelector("b").textContent = told.name;
      const good = make("span", { className: "verdict" }, icon("s-resolved"), words.good, number);
      good.dataset.state = "good";
      state(one, told.notice || words.done, good, button(fill(words.take, told.name), "close", () => { take(told.id); forget(one); }));
      say(`${told.name}: ${words.done}`);
    };
    const take = (id) => fetch(words.remove.replace("00000000-0000-0000-0000-000000000000", id), { method: "POST", headers: { "X-CSRFToken": token() } }).catch(() => {});

    const send = (one) => {
      running = one;
      const bar = make("progress", { max: 100, value: 0 }), request = new XMLHttpRequest();
      bar.setAttribute("aria-label", one.name);
      state(one, words.arriving, bar, button(fill(words.cancel, one.name), "close", () => { one.gone = true; request.abort(); }));
      const next = () => { running = null; pump(); maybe(); };
      const failed = (text, again, soon) => {
        if (soon && ++one.tries < TRIES) { setTimeout(() => send(one), 1500 * one.tries); return; }
        bad(one, text, again);
        next();
      };
      request.upload.onprogress = (event) => { bar.value = 100 * event.loaded / event.total; };
      request.onabort = () => { one.line.remove(); picker.focus(); next(); };
      request.onerror = request.ontimeout = () => failed(words.broken, true, true);
      request.onload = () => {
        let told = null;
        try { told = JSON.parse(request.responseText); } catch { /* a page: not what was asked for */ }
        if (request.status === 201 && told) { done(one, told); next(); }
        else if (told && told.error) failed(told.error, request.status !== 413 && request.status !== 422, request.status === 503);
        else failed(request.status >= 500 ? words.broken : words.out, true, false);
      };
      request.open("POST", `${words.upload}?${new URLSearchParams({ name: one.name.slice(-200), for: words.for ?? "" })}`);
      request.setRequestHeader("X-CSRFToken", token());
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.send(one.file);
    };
    const pump = () => { if (!running && waiting.length) send(waiting.shift()); };
    const queue = (one) => {
      waiting.push(one);
      state(one, "", null, button(fill(words.cancel, one.name), "close", () => { waiting.splice(waiting.indexOf(one), 1); forget(one); }));
      pump();
    };
    const add = (files, named) => {
      for (const file of files) {
        const one = row(file, named || file.name);
        if (list.children.length > MOST) bad(one, words.many);
        else if (file.size > BIGGEST) bad(one, words.big);
        else if (!file.size) bad(one, words.empty);
        else queue(one);
      }
    };
    // Somebody pressed Send while files were on their way: now they are there.
    const maybe = () => {
      if (!wanted || !settled()) return;
      const press = wanted;
      wanted = null;
      if (!list.querySelector("[data-state=bad]")) form.requestSubmit(press);
    };

    picker.addEventListener("change", () => { const files = [...picker.files]; picker.value = ""; add(files); });
    form.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length || event.clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      const now = new Date(), stamp = [now.getHours(), now.getMinutes(), now.getSeconds()].map((n) => String(n).padStart(2, "0")).join("");
      for (const file of files) add([file], /^image\.\w+$/.test(file.name) ? `${words.pasted}-${stamp}.${file.name.split(".").pop()}` : file.name);
    });
    const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    form.addEventListener("dragover", (event) => { if (carries(event)) { event.preventDefault(); zone.dataset.state = "over"; } });
    form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) delete zone.dataset.state; });
    form.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      delete zone.dataset.state;
      add([...event.dataTransfer.files]);
    });
    form.addEventListener("submit", (event) => {
      const broken = list.querySelector("[data-state=bad]");
      if (settled() && !broken) return;
      event.preventDefault();
      if (broken) { say(words.trouble); broken.querySelector("button").focus(); return; }
      wanted = event.submitter;
      status.classList.remove("visually-hidden");
      say(words.wait);
    });

    // What the server shows as a box to untick gets a button like the others.
    for (const box of list.querySelectorAll("input[type=checkbox]")) {
      const one = { file: { size: 0 }, line: box.closest("li") };
      one.line.append(make("span"), button(fill(words.take, box.dataset.name), "close", () => { take(box.value); one.line.remove(); picker.focus(); }));
    }
  };

  for (const box of document.querySelectorAll("[data-files]")) begin(box);
  // Dropped beside a form, a file would replace the page and what was typed on it.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => {
    if (document.querySelector("[data-files]") && [...(event.dataTransfer?.types ?? [])].includes("Files")) event.preventDefault();
  });
})();
