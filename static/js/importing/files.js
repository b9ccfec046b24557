/** The files of an import: which there are, how far each is, and a row for each of the first few hundred. */

import { all, one, say } from "../page/dom.js";
import { bytesInWords } from "./in_words.js";

const MOST_ROWS = 200;

/**
 * States of a file: `waiting` to be sent, `sending`, `here`, `refused` for `reason`, and `lacking`: some of it is here, and this page
 * does not have the file.
 */
/** @typedef {"waiting" | "sending" | "here" | "refused" | "lacking"} State */
/**
 * @typedef {object} Entry a file of the import
 * @property {string} address empty until the server has one for it
 * @property {string} path
 * @property {number} bytes
 * @property {number} received
 * @property {File | null} file
 * @property {State | ""} state empty before it has one, and when it is forgotten
 * @property {string} reason
 * @property {HTMLElement | null} row
 */

export class Files {
  /** @type {Map<string, Entry>} by path */
  #entries = new Map();
  /** @type {Record<State, number>} */
  #counts = { waiting: 0, sending: 0, here: 0, refused: 0, lacking: 0 };
  /** @type {Entry[]} */
  #queue = [];
  /** @type {Set<Entry>} */
  #changed = new Set();
  #list;
  #row;

  /** @param {HTMLElement} list @param {HTMLTemplateElement} row */
  constructor(list, row) {
    this.#list = list;
    this.#row = row;
  }

  get size() { return this.#entries.size; }
  /** @param {string} path */
  has(path) { return this.#entries.has(path); }
  /** @param {State} state */
  count(state) { return this.#counts[state]; }

  /** What the server says there is. @param {Api.Upload[]} rows @param {string} collection */
  learn(rows, collection) {
    const whole = (/** @type {Api.Upload} */ row) => row.received === row.byte_size;
    const lackingFirst = rows.toSorted((row, other) => Number(whole(row)) - Number(whole(other)));
    for (const { id, path, byte_size: bytes, received } of lackingFirst) {
      /** @type {Entry} */
      const entry = { address: `${collection}${id}/`, path, bytes, received, file: null, state: "", reason: "", row: null };
      this.#entries.set(path, entry);
      this.set(entry, received === bytes ? "here" : "lacking");
    }
  }

  /**
   * A file from this computer. The one of that name that is being sent, or is here with the same length, stays.
   *
   * @param {string} path
   * @param {File} file
   */
  choose(path, file) {
    const known = this.#entries.get(path);
    if (known?.state === "sending" || (known?.state === "here" && known.bytes === file.size)) return;
    /** @type {Entry} */
    const entry = known ?? { address: "", path, bytes: 0, received: 0, file: null, state: "", reason: "", row: null };
    Object.assign(entry, { file, bytes: file.size });
    this.#entries.set(path, entry);
    this.set(entry, "waiting");
  }

  /** @param {Entry} entry @param {State} state @param {string} [reason] */
  set(entry, state, reason = "") {
    if (entry.state) this.#counts[entry.state] -= 1;
    this.#counts[state] += 1;
    if (state === "waiting" && entry.state !== "waiting") this.#queue.push(entry);
    if (state === "here") Object.assign(entry, { received: entry.bytes, file: null });
    Object.assign(entry, { state, reason });
    this.#changed.add(entry);
  }

  /** @param {Entry} entry */
  forget(entry) {
    if (entry.state) this.#counts[entry.state] -= 1;
    this.#entries.delete(entry.path);
    entry.state = "";
    entry.row?.remove();
  }

  /** The next that waits, or undefined. */
  next() {
    let entry = this.#queue.shift();
    while (entry && entry.state !== "waiting") entry = this.#queue.shift();
    return entry;
  }

  totals() {
    let bytes = 0;
    let received = 0;
    for (const entry of this.#entries.values()) {
      bytes += entry.bytes;
      received += Math.min(entry.received, entry.bytes);
    }
    return { bytes, received };
  }

  /** The file in whose row a control is. @param {HTMLElement} control */
  of(control) {
    const row = /** @type {HTMLElement | null} */ (control.closest("[data-path]"));
    return this.#entries.get(row?.dataset.path ?? "");
  }

  /** Draws what changed. Beyond so many rows only files that are under way, or that something is wrong with, have one. */
  paint() {
    for (const entry of this.#changed) this.#draw(entry);
    for (const entry of this.#changed) if (entry.state !== "sending") this.#changed.delete(entry);
    const hidden = this.size - this.#list.children.length;
    const more = one("[data-more]");
    more.hidden = hidden <= 0;
    more.textContent = say("more", { count: hidden.toLocaleString(document.documentElement.lang) });
  }

  /** @param {Entry} entry */
  #draw(entry) {
    if (!entry.state) return;
    const matters = entry.state !== "here" && entry.state !== "waiting";
    if (!entry.row && (matters || this.#list.children.length < MOST_ROWS)) this.#add(entry);
    if (!entry.row) return;
    if (!matters && this.#list.children.length > MOST_ROWS) {
      entry.row.remove();
      entry.row = null;
      return;
    }
    const { row, state } = entry;
    row.dataset.state = state;
    const bar = one("progress", row);
    bar.max = entry.bytes || 1;
    bar.value = entry.bytes ? entry.received : Number(state === "here");
    one("[data-how-far]", row).textContent =
      state === "here" ? bytesInWords(entry.bytes) : say(`file-${state}`, {
        received: bytesInWords(entry.received), bytes: bytesInWords(entry.bytes), reason: entry.reason,
      });
    one('[data-action="again"]', row).hidden = state !== "refused" || !entry.file;
    one('[data-action="remove"]', row).hidden = state === "sending";
  }

  /** @param {Entry} entry */
  #add(entry) {
    const row = /** @type {HTMLElement} */ (this.#row.content.firstElementChild?.cloneNode(true));
    row.dataset.path = entry.path;
    one("[data-name]", row).textContent = entry.path;
    for (const word of all("[data-of]", row)) word.textContent = entry.path;
    this.#list.append(row);
    entry.row = row;
  }
}
