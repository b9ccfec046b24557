/**
 * Keep a person's work in this browser until the server has it: drafts, and answers, skips and reports that wait to be sent.
 * Everything is also in memory, so reading never waits. Without a database, work continues until the page is closed.
 */

import { find } from "../page/dom.js";
import { Refused, send } from "./api.js";
import { becomesDraftAgain, ends, isSame } from "./outbox_entries.js";
import { TABLES, openStore, result } from "./store.js";
import { lock } from "./tabs.js";

/** @typedef {import("./outbox_entries.js").Entry} Entry */
/**
 * @typedef {object} DraftRecord what the browser stores about a pair that the person has not submitted or skipped
 * @property {string} study
 * @property {number} assignment
 * @property {string} [address] address for its draft
 * @property {Api.Draft} [body]
 * @property {boolean} [synced] whether the server has this version of the draft
 * @property {boolean} [refused] whether the server refuses the draft
 * @property {boolean} [hidden] whether the person has hidden both videos
 * @property {Api.Care} [care]
 * @property {boolean} [careSent]
 */
/** @typedef {DraftRecord & { address: string, body: Api.Draft }} Draft */
/**
 * @typedef {object} Outcome result of sending an entry; if it has neither a response nor a refusal, the entry waits for consent
 * @property {Entry} entry
 * @property {any} [response] Api.Submitted, Api.Desk or Api.ReportOutcome
 * @property {Refused} [refusal]
 * @property {Api.Desk | null} desk the next pairs, if the response has them
 */
const MOST_DRAFTS = 100;
const TAKEN = Symbol("taken");

/** @param {DraftRecord} record @returns {record is DraftRecord & { care: Api.Care }} */
const hasCare = (record) => record.care !== undefined;
/** @param {DraftRecord} record @returns {record is Draft} */
const hasDraft = (record) => record.body !== undefined;

/** Another tab works on the study now, so this tab may not write its drafts. */
class Taken extends Error {}

/**
 * Events: `storage` when storage starts or stops working; `taken_over` when a write was refused because another tab works on
 * the study now.
 */
class Outbox extends EventTarget {
  /** @type {Promise<void> | null} */
  #opening = null;
  /** @type {Store | null} */
  #store = null;
  /** @type {Map<number, DraftRecord>} by assignment */
  #drafts = new Map();
  /** @type {Entry[]} */
  #waiting = [];
  /** @type {Promise<unknown>} */
  #writing = Promise.resolve();
  #works = true;
  /** @type {{ study: string, tab: string } | null} */
  #claim = null;
  /** @type {Set<number>} */
  #heldBack = new Set();

  /** @param {string} person */
  constructor(person) {
    super();
    this.person = person;
  }

  /** Open the person's database, once. Without a database, everything stays in memory. */
  open() {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open() {
    if ("trial" in document.body.dataset) return; // a trial is never stored
    try {
      this.#store = await openStore(this.person);
    } catch {
      this.#works = false;
    }
  }

  /** Whether the data are stored, so that they are still there after the page is closed. */
  get works() {
    return this.#works;
  }

  /** Number of entries that wait to be sent. */
  get waits() {
    return this.#waiting.length;
  }

  /** Number of entries that can be sent now. The others wait until the person agrees to the study again. */
  get sendable() {
    return this.#waiting.filter((entry) => !this.#isHeldBack(entry)).length;
  }

  /** Return how many entries of a study wait until the person agrees to it again. @param {string} study */
  heldBackOf(study) {
    return this.#waiting.filter((entry) => entry.study === study && this.#isHeldBack(entry)).length;
  }

  /** @param {Entry} entry */
  #isHeldBack({ assignment }) {
    return this.#heldBack.has(assignment);
  }

  /** Return whether an entry that ends the pair waits to be sent. @param {number} assignment */
  isWaiting(assignment) {
    return this.#waiting.some((entry) => entry.assignment === assignment && ends(entry));
  }

  /** Return whether an answer, or a change of one, waits to be sent. @param {number} assignment */
  hasEntryOf(assignment) {
    return this.#waiting.some((entry) => entry.assignment === assignment);
  }

  /**
   * Make this tab the one that works on the study, and read what the last tab stored.
   *
   * @param {string} study
   * @param {string} tab
   */
  async claim(study, tab) {
    this.#claim = { study, tab };
    await this.#write((table) => result(table("desks").put({ study, tab })));
    await this.reload();
  }

  /** Read everything again, because another tab may have written. */
  async reload() {
    const drafts = await this.#read((table) => result(table("drafts").getAll()));
    if (drafts) this.#drafts = new Map(drafts.map((draft) => [draft.assignment, draft]));
    await this.waiting();
  }

  /** Return the record of an assignment, or an empty object. @param {number} assignment @returns {Partial<DraftRecord>} */
  draftOf(assignment) {
    return this.#drafts.get(assignment) ?? {};
  }

  /** Drafts whose current version the server does not have, without drafts that the server refuses. */
  get unsynced() {
    return [...this.#drafts.values()].filter(hasDraft).filter((draft) => !draft.synced && !draft.refused);
  }

  /** All drafts whose current version the server does not have. They are lost if this browser's data are deleted. */
  get unsent() {
    return [...this.#drafts.values()].filter(hasDraft).filter((draft) => !draft.synced);
  }

  /** Records whose exposure (`care`) the server does not have. */
  get unreported() {
    return [...this.#drafts.values()].filter(hasCare).filter((record) => !record.careSent);
  }

  /**
   * Merge `part` into an assignment's record, unless another tab works on the study.
   *
   * @param {string} study
   * @param {number} assignment
   * @param {Partial<DraftRecord>} part
   */
  keep(study, assignment, part) {
    const record = { study, assignment, ...this.draftOf(assignment), ...part };
    this.#drafts.set(assignment, record);
    return this.#write(async (table) => {
      await this.#refuseOthers(table);
      return result(table("drafts").put(record));
    });
  }

  /**
   * Merge `part` into an assignment's record while the page is being closed. This does not check for other tabs: the browser
   * completes only writes that are requested immediately.
   *
   * @param {string} study
   * @param {number} assignment
   * @param {Partial<DraftRecord>} part
   */
  keepLast(study, assignment, part) {
    const record = { study, assignment, ...this.draftOf(assignment), ...part };
    this.#drafts.set(assignment, record);
    return this.#write((table) => table("drafts").put(record));
  }

  /** @param {string} study @param {number} assignment */
  forget(study, assignment) {
    this.#drafts.delete(assignment);
    return this.#write((table) => table("drafts").delete([study, assignment]));
  }

  /** Delete the oldest records that the server has too, if there are more than `MOST_DRAFTS`. */
  prune() {
    const old = [...this.#drafts.values()].filter((draft) => draft.synced || !draft.body);
    old.sort((one, other) => one.assignment - other.assignment);
    for (const { study, assignment } of old.slice(0, -MOST_DRAFTS)) this.forget(study, assignment);
  }

  /** Add an entry to the queue, in place of its draft. Only the outbox sends it. @param {Entry} entry */
  enqueue(entry) {
    if (ends(entry) && this.isWaiting(entry.assignment)) return Promise.resolve();
    this.#waiting.push(entry);
    if (ends(entry)) this.#drafts.delete(entry.assignment);
    return this.#store ? this.#storeEntry(entry) : Promise.resolve();
  }

  /** Store an entry and set its `order`. If that fails, the entry is only in memory. @param {Entry} entry */
  async #storeEntry(entry) {
    entry.inMemory = false;
    const order = await this.#write(async (table) => {
      await this.#refuseOthers(table);
      const { inMemory: _, ...stored } = entry;
      if (!ends(entry)) return result(table("submissions").add(stored));
      table("drafts").delete([entry.study, entry.assignment]);
      return result(table("submissions").add({ ...stored, ends: entry.assignment }));
    });
    if (order === TAKEN) this.#waiting = this.#waiting.filter((other) => other !== entry);
    else if (order === null) entry.inMemory = true;
    else entry.order = /** @type {number} */ (order);
  }

  /** Return the waiting entries of all tabs, oldest first. */
  async waiting() {
    await this.#writing.catch(() => {});
    const stored = await this.#read((table) => result(table("submissions").getAll()));
    if (stored) {
      const gone = this.#waiting.filter((entry) => entry.order && !stored.some(({ order }) => order === entry.order));
      this.#waiting = [...stored, ...this.#waiting.filter((entry) => entry.order === undefined)];
      await this.#restoreDrafts(gone);
    }
    return this.#waiting;
  }

  /** Read the drafts that were restored because another tab sent the entry and the server refused it. @param {Entry[]} entries */
  async #restoreDrafts(entries) {
    for (const { study, assignment } of entries) {
      const draft = await this.#read((table) => result(table("drafts").get([study, assignment])));
      if (draft && !this.#drafts.has(assignment)) this.#drafts.set(assignment, draft);
    }
  }

  /**
   * Send all waiting entries once, in order, and yield the outcome of each. One tab sends at a time. If two do, the server stores
   * an answer only once, by its submission id. An entry that is refused because consent was withdrawn stays in the queue and is
   * tried again next time. Throws Trouble.
   *
   * @param {string} [study] study whose next pairs are requested with the last entry
   * @returns {AsyncGenerator<Outcome, void, void>}
   */
  async *send(study) {
    const release = await lock(`diptych-${this.person}-sending`);
    try {
      this.#heldBack.clear();
      for (let [entry, ...rest] = await this.#sendable(); entry; [entry, ...rest] = await this.#sendable()) {
        yield await this.#sendOne(entry, entry.study === study && rest.length === 0);
      }
    } finally {
      release();
    }
  }

  /** Send all waiting entries without reporting the outcomes. Throws Trouble. */
  async sendAll() {
    const sending = this.send();
    while (!(await sending.next()).done);
  }

  async #sendable() {
    return (await this.waiting()).filter((entry) => !this.#isHeldBack(entry));
  }

  /** @param {Entry} entry @param {boolean} wantsDesk @returns {Promise<Outcome>} */
  async #sendOne(entry, wantsDesk) {
    const body = entry.verb === "submit" ? { ...entry.body, lease_next: wantsDesk } : entry.body;
    try {
      const response = await send("POST", entry.address, body, { person: this.person });
      await this.#remove(entry);
      return { entry, response, desk: wantsDesk && ends(entry) ? response : null };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "consent") {
        this.#heldBack.add(entry.assignment);
        return { entry, desk: null };
      }
      await this.#remove(entry, becomesDraftAgain(entry, error) ? entry.body : null);
      return { entry, refusal: error, desk: null };
    }
  }

  /**
   * Remove an entry after the server's response. With `draft`, the answers become a draft again.
   *
   * @param {Entry} entry
   * @param {Api.Draft | null} [draft]
   */
  #remove(entry, draft = null) {
    this.#waiting = this.#waiting.filter((other) => !isSame(other, entry));
    const { study, assignment } = entry;
    const record = draft && { study, assignment, address: entry.draftAddress, body: draft, synced: false };
    // The exposure since the submission must still be reported.
    const isDone = !record && ends(entry) && !hasCare({ study, assignment, ...this.draftOf(assignment) });
    if (record) this.#drafts.set(assignment, record);
    if (isDone) this.#drafts.delete(assignment);
    return this.#write((table) => {
      if (entry.order !== undefined) table("submissions").delete(entry.order);
      if (record) table("drafts").put(record);
      if (isDone) table("drafts").delete([study, assignment]);
    });
  }

  /** Delete everything of the person from this browser. */
  async wipe() {
    this.#drafts.clear();
    this.#waiting = [];
    await this.#write((table) => {
      for (const name of TABLES) table(name).clear();
    });
  }

  /** @param {TableOf} table */
  async #refuseOthers(table) {
    if (!this.#claim) return;
    const holder = await result(table("desks").get(this.#claim.study));
    if (holder && holder.tab !== this.#claim.tab) throw new Taken();
  }

  /**
   * Read from the database. Return null without a database.
   *
   * @template T
   * @param {(table: TableOf) => Promise<T>} work
   */
  async #read(work) {
    try {
      return this.#store ? await this.#store.run("readonly", work) : null;
    } catch {
      this.#setWorks(false);
      return null;
    }
  }

  /**
   * Write without waiting for earlier writes. Return null if that failed and the data are only in memory, or TAKEN if another tab works on the study.
   *
   * @template T
   * @param {(table: TableOf) => T} work
   */
  #write(work) {
    const writing = this.#writeNow(work);
    this.#writing = Promise.allSettled([this.#writing, writing]);
    return writing;
  }

  /**
   * @template T
   * @param {(table: TableOf) => T} work
   */
  async #writeNow(work) {
    if (!this.#store) return null;
    try {
      const value = await this.#store.run("readwrite", work);
      this.#setWorks(true);
      return value;
    } catch (error) {
      if (error instanceof Taken) {
        this.dispatchEvent(new Event("taken_over"));
        return TAKEN;
      }
      this.#setWorks(false);
      return null;
    }
  }

  /** @param {boolean} works */
  #setWorks(works) {
    if (works === this.#works) return;
    this.#works = works;
    if (works) for (const entry of this.#waiting) if (entry.inMemory) this.#storeEntry(entry);
    this.dispatchEvent(new Event("storage"));
  }
}

/** The outbox of the person who is signed in on this page. */
export const outbox = new Outbox(find("form[data-sign-out]")?.dataset.person ?? "");

addEventListener("beforeunload", (event) => {
  if (outbox.waits && !outbox.works) event.preventDefault(); // the entries would be lost with the page
});
