/**
 * What this browser keeps of a person until the server has it: drafts, and answers and skips that wait to be sent.
 * Everything is held in memory too, so reading never waits, and without a database work goes on until the page closes.
 */

import { openStore, result } from "./store.js";

const MOST_DRAFTS = 100;
const TAKEN = Symbol("taken");

/** Another tab works on the study now: its drafts are not ours to write. */
class Taken extends Error {}

export class Keeping {
  #store = null;
  #drafts = new Map();
  #waiting = [];
  #writing = Promise.resolve();
  #works = true;
  #desk = null;
  #heldBack = new Set();
  #onChange;
  #onTaken;

  /**
   * `onChange()`: what waits, or whether keeping works, has changed. `onTaken()`: another tab has taken the study, and
   * a write of ours was refused.
   */
  constructor(person, { onChange = () => {}, onTaken = () => {} } = {}) {
    this.person = person;
    this.#onChange = onChange;
    this.#onTaken = onTaken;
  }

  /** Opens the person's database; without one, memory serves. */
  async open() {
    try {
      this.#store = await openStore(this.person);
    } catch {
      this.#works = false;
    }
  }

  /** Whether what is kept outlives the page. */
  get works() {
    return this.#works;
  }

  /** How many answers and skips wait to be sent. */
  get waits() {
    return this.#waiting.length;
  }

  /** How many of them can be sent now: the others wait until their person agrees to the study again. */
  get sendable() {
    return this.#waiting.filter((entry) => !this.isHeldBack(entry)).length;
  }

  /** How many answers to a study wait until their person agrees to it again. */
  heldBackOf(study) {
    return this.#waiting.filter((entry) => entry.study === study && this.isHeldBack(entry)).length;
  }

  isHeldBack({ assignment }) {
    return this.#heldBack.has(assignment);
  }

  /** The server refused an entry because consent was withdrawn: it keeps its place in the line and is sent later. */
  holdBack({ assignment }) {
    this.#heldBack.add(assignment);
  }

  /** What was held back is tried again: its person may have agreed meanwhile. */
  holdNothingBack() {
    this.#heldBack.clear();
  }

  isWaiting(assignment) {
    return this.#waiting.some((entry) => entry.assignment === assignment);
  }

  /** This tab works on the study from now on, and reads what the last one left. */
  async claim(study, tab) {
    this.#desk = { study, tab };
    await this.#attempt("readwrite", (table) => result(table("desks").put({ study, tab })));
    await this.reload();
  }

  /** Reads everything anew: another tab may have written. */
  async reload() {
    const drafts = await this.#attempt("readonly", (table) => result(table("drafts").getAll()));
    if (drafts) this.#drafts = new Map(drafts.map((draft) => [draft.assignment, draft]));
    await this.waiting();
  }

  /** The record of an assignment: `{study, assignment, address, body, synced, hidden}`, or an empty object. */
  draftOf(assignment) {
    return this.#drafts.get(assignment) ?? {};
  }

  /** Drafts that the server does not have as they are here. */
  get unsynced() {
    return [...this.#drafts.values()].filter((draft) => draft.body && !draft.synced && !draft.refused);
  }

  /** The same and what the server refused: all that would be gone with this browser's data. */
  get unsent() {
    return [...this.#drafts.values()].filter((draft) => draft.body && !draft.synced);
  }

  /** Records whose `care` the server does not have. */
  get unreported() {
    return [...this.#drafts.values()].filter((draft) => draft.care && !draft.careSent);
  }

  /** Merges `part` into an assignment's record, unless another tab has the study by now. */
  keep(study, assignment, part) {
    const record = { study, assignment, ...this.draftOf(assignment), ...part };
    this.#drafts.set(assignment, record);
    return this.#write(async (table) => {
      await this.#refuseOthers(table);
      return result(table("drafts").put(record));
    });
  }

  /** The same at the page's end, when only what is asked for at once is still done. */
  keepLast(study, assignment, part) {
    const record = { study, assignment, ...this.draftOf(assignment), ...part };
    this.#drafts.set(assignment, record);
    return this.#write((table) => table("drafts").put(record));
  }

  forget(study, assignment) {
    this.#drafts.delete(assignment);
    return this.#write((table) => table("drafts").delete([study, assignment]));
  }

  /** Drops what the server has, oldest first, beyond a number that nobody holds at once. */
  prune() {
    const old = [...this.#drafts.values()].filter((draft) => draft.synced || !draft.body);
    old.sort((one, other) => one.assignment - other.assignment);
    for (const { study, assignment } of old.slice(0, -MOST_DRAFTS)) this.forget(study, assignment);
  }

  /** Puts `{study, assignment, verb, address, draftAddress, body}` in line, in place of its draft; it is sent from here alone. */
  enqueue(entry) {
    if (this.isWaiting(entry.assignment)) return Promise.resolve();
    this.#waiting.push(entry);
    this.#drafts.delete(entry.assignment);
    this.#onChange();
    return this.#store ? this.#putInLine(entry) : Promise.resolve();
  }

  /** An entry has its `order` once it is stored; one that could not be is in memory alone. */
  async #putInLine(entry) {
    entry.inMemory = false;
    const order = await this.#write(async (table) => {
      await this.#refuseOthers(table);
      table("drafts").delete([entry.study, entry.assignment]);
      const { inMemory: _, ...stored } = entry;
      return result(table("submissions").add(stored));
    });
    if (order === TAKEN) this.#waiting = this.#waiting.filter((other) => other !== entry);
    else if (order === null) entry.inMemory = true;
    else entry.order = order;
    this.#onChange();
  }

  /** What waits, first come first, of all tabs. */
  async waiting() {
    await this.#writing.catch(() => {});
    const stored = await this.#attempt("readonly", (table) => result(table("submissions").getAll()));
    if (stored) {
      const gone = this.#waiting.filter((entry) => entry.order && !stored.some(({ order }) => order === entry.order));
      this.#waiting = [...stored, ...this.#waiting.filter((entry) => entry.order === undefined)];
      await this.#takeBack(gone);
    }
    this.#onChange();
    return this.#waiting;
  }

  /** Another tab has sent these; what was refused of them is a draft again. */
  async #takeBack(entries) {
    for (const { study, assignment } of entries) {
      const draft = await this.#attempt("readonly", (table) => result(table("drafts").get([study, assignment])));
      if (draft && !this.#drafts.has(assignment)) this.#drafts.set(assignment, draft);
    }
  }

  /** The server has said what became of an entry. With `mend`, its answers become a draft again. */
  settle(entry, mend = null) {
    this.#waiting = this.#waiting.filter((other) => other.assignment !== entry.assignment);
    const { study, assignment } = entry;
    const record = mend && { study, assignment, address: entry.draftAddress, body: mend, synced: false };
    if (record) this.#drafts.set(entry.assignment, record);
    else this.#drafts.delete(entry.assignment);
    this.#onChange();
    return this.#write((table) => {
      if (entry.order !== undefined) table("submissions").delete(entry.order);
      return record ? table("drafts").put(record) : table("drafts").delete([entry.study, entry.assignment]);
    });
  }

  /** Forgets everything of the person, in this browser for good. */
  async wipe() {
    this.#drafts.clear();
    this.#waiting = [];
    await this.#write((table) => {
      for (const name of ["drafts", "submissions", "desks"]) table(name).clear();
    });
  }

  async #refuseOthers(table) {
    if (!this.#desk) return;
    const holder = await result(table("desks").get(this.#desk.study));
    if (holder && holder.tab !== this.#desk.tab) throw new Taken();
  }

  /** Writes at once; answers null where that failed and memory alone keeps it, and TAKEN where it was refused. */
  #write(work) {
    const writing = this.#attempt("readwrite", work);
    this.#writing = Promise.allSettled([this.#writing, writing]);
    return writing;
  }

  async #attempt(mode, work) {
    if (!this.#store) return null;
    try {
      const answer = await this.#store.run(mode, work);
      if (mode === "readwrite") this.#note(true);
      return answer;
    } catch (error) {
      if (error instanceof Taken) {
        this.#onTaken();
        return TAKEN;
      }
      this.#note(false);
      return null;
    }
  }

  #note(works) {
    if (works === this.#works) return;
    this.#works = works;
    if (works) for (const entry of this.#waiting) if (entry.inMemory) this.#putInLine(entry);
    this.#onChange();
  }
}

/** A random UUID; made by hand for pages that are not served over HTTPS, where `randomUUID` is missing. */
export function madeUuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

const inMemory = new Map();

/** A person's small settings, which outlive a sign-out; drafts and answers are never among them. */
export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") ?? inMemory.get(name) ?? null;
  } catch {
    return inMemory.get(name) ?? null;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    inMemory.delete(name);
  } catch {
    inMemory.set(name, value);
  }
}

/** Answers lay in localStorage once; the server had drafts of all of them. */
export function forgetLocalStorage() {
  try {
    for (const name of Object.keys(localStorage)) if (/^diptych:\d+:pair:/.test(name)) localStorage.removeItem(name);
  } catch {
    // Nothing can be there.
  }
}
