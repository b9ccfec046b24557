/** Keeps the page of an import that waits or runs up to date. When anything but numbers changes the page is loaded anew. */

import { all, one } from "../page/dom.js";

const OFTEN_MS = 2000;
const SELDOM_MS = 30_000;

const root = one("[data-watch]");
let wait = OFTEN_MS;
let timer = 0;

async function look() {
  try {
    const answer = await fetch(root.dataset.watch, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    wait = OFTEN_MS;
  } catch {
    wait = Math.min(2 * wait, SELDOM_MS);
  }
  one("[data-away]").hidden = wait === OFTEN_MS;
  next();
}

/** Not while nobody looks. */
function next() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, wait);
}

function show({ version, steps, total, stages, ...words }) {
  if (version !== root.dataset.version) {
    location.reload();
    return;
  }
  for (const [name, text] of Object.entries(words)) {
    for (const place of all(`[data-live="${name}"]`)) write(place, text);
  }
  list(stages);
  const bar = one("progress", root);
  if (!bar) return;
  if (total) {
    bar.max = total;
    bar.value = steps;
  } else bar.removeAttribute("value");
}

function list(stages) {
  const log = one("[data-log]");
  while (log.children.length > stages.length) log.lastElementChild.remove();
  while (log.children.length < stages.length) log.append(one("#stage-row").content.cloneNode(true));
  stages.forEach(({ name, took, now }, index) => {
    const row = log.children[index];
    write(one("[data-stage]", row), name);
    write(one("[data-took]", row), took);
    if (now) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
  });
}

/** What is read out is not read out again. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) look();
});
addEventListener("online", look);
next();
