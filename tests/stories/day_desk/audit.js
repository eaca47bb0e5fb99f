// What a page must not have, for whoever sees little, has a small screen or uses no mouse. Returns a line per fault.
() => {
  const faults = [];
  const all = (words) => [...document.querySelectorAll(words)];
  const shown = (e) => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    return box.width > 1 && box.height > 1 && style.visibility !== 'hidden';
  };

  const ids = all('[id]').map((e) => e.id);
  ids.filter((id, n) => ids.indexOf(id) !== n).forEach((id) => faults.push(`two elements are #${id}`));
  for (const name of ['for', 'aria-describedby', 'aria-labelledby', 'aria-controls'])
    for (const e of all(`[${name}]`))
      for (const id of e.getAttribute(name).split(/\s+/))
        if (id && !document.getElementById(id)) faults.push(`${name} names #${id}, which is not there`);

  for (const e of all('input:not([type=hidden]), select, textarea'))
    if (!e.labels?.length && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby'))
      faults.push(`a field without a label: ${e.name}`);
  for (const e of all('button, a[href], summary'))
    if (!(e.textContent.trim() || e.getAttribute('aria-label') || e.title))
      faults.push(`nothing to call it by: ${e.outerHTML.slice(0, 80)}`);
  for (const e of all('img:not([alt])')) faults.push(`a picture without words: ${e.src}`);
  for (const e of all('button, summary, select, input:not([type=hidden])'))
    if (shown(e) && e.getBoundingClientRect().height < 24 && !['checkbox', 'radio', 'file'].includes(e.type))
      faults.push(`too small to hit: ${e.outerHTML.slice(0, 60)}`);

  if (all('h1').length !== 1) faults.push(`${all('h1').length} first headings`);
  if (all('main').length !== 1) faults.push(`${all('main').length} main parts`);
  if (!document.documentElement.lang) faults.push('no language');
  if (!document.title.trim()) faults.push('no title');
  let level = 0;
  for (const e of all('h1, h2, h3, h4, h5, h6').filter((e) => shown(e) && !e.closest('.body'))) {
    if (+e.tagName[1] > level + 1) faults.push(`a heading skips a level: ${e.innerText.slice(0, 40)}`);
    level = +e.tagName[1];
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) faults.push('wider than the screen');

  // Contrast as WCAG 2.2 reckons it (1.4.3): 4.5 to 1, for large text 3 to 1.
  const dot = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    dot.clearRect(0, 0, 1, 1);
    dot.fillStyle = colour;
    dot.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = dot.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below, share) => [0, 1, 2].map((i) => top[i] * share + below[i] * (1 - share));
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    const layers = [];
    let opacity = 1;
    for (let one = e; one; one = one.parentElement) {
      const style = getComputedStyle(one), colour = rgba(style.backgroundColor);
      opacity *= +style.opacity;
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] > 0.99) break;
    }
    return [layers.reverse().reduce((below, top) => over(top, below, top[3]), [255, 255, 255]), opacity];
  };
  const judged = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || judged.has(e) || !shown(e) || e.closest(':disabled')) continue;
    judged.add(e);
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const [below, opacity] = ground(e), colour = rgba(style.color);
    const [a, b] = [light(over(colour, below, colour[3] * opacity)), light(below)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (size >= 24 || (size >= 18.66 && +style.fontWeight >= 700) ? 3 : 4.5))
      faults.push(`hard to read (${ratio.toFixed(1)}): ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  return faults;
}
