/**
 * Updates the progress of all open jobs on the page. When the state of a job changes, the page is reloaded. The event
 * `progress-read` has what was read, for scripts that show more of a job.
 */

import { all, find, given, one } from "../page/dom.js";

const OFTEN_MS = 2000;
const SELDOM_MS = 30_000;

/** @typedef {{ name: string, took: string, now: boolean }} Stage */
/** @typedef {{ version: string, steps: number, total: number, stages: Stage[], [live: string]: any }} Progress */

class Watch {
  /** @type {HTMLElement} */
  #root;
  #wait = OFTEN_MS;
  #timer = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#timer);
      if (!document.hidden) this.#look();
    });
    addEventListener("online", () => this.#look());
    this.#next();
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      const reply = await fetch(given(this.#root, "watch"), { headers: { Accept: "application/json" }, redirect: "error" });
      if (!reply.ok) throw new Error(String(reply.status));
      this.#show(await reply.json());
      this.#wait = OFTEN_MS;
    } catch {
      this.#wait = Math.min(2 * this.#wait, SELDOM_MS);
    }
    one("[data-away]", this.#root).hidden = this.#wait === OFTEN_MS;
    this.#next();
  }

  /** Plans the next request, unless the page is hidden. */
  #next() {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.#look(), this.#wait);
  }

  /** @param {Progress} progress */
  #show({ version, steps, total, stages, ...words }) {
    if (version !== this.#root.dataset.version) {
      location.reload();
      return;
    }
    this.#root.dispatchEvent(new CustomEvent("progress-read", { bubbles: true, detail: words }));
    for (const [name, text] of Object.entries(words)) {
      for (const place of all(`[data-live="${name}"]`, this.#root)) write(place, text);
    }
    this.#list(stages);
    const bar = find("progress", this.#root);
    if (!bar) return;
    if (total) {
      bar.max = total;
      bar.value = steps;
    } else bar.removeAttribute("value");
  }

  /** @param {Stage[]} stages */
  #list(stages) {
    const log = one("[data-log]", this.#root);
    const row = one("template", this.#root);
    while (log.children.length > stages.length) log.lastElementChild?.remove();
    while (log.children.length < stages.length) log.append(row.content.cloneNode(true));
    stages.forEach(({ name, took, now }, index) => {
      const item = log.children[index];
      write(one("[data-stage]", item), name);
      write(one("[data-took]", item), took);
      if (now) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }
}

/** Writes only a changed text, so that screen readers do not repeat it. @param {HTMLElement} place @param {string} text */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

all("[data-watch]").forEach((root) => new Watch(root));
