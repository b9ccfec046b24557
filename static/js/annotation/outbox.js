/**
 * What this browser keeps of a person until the server has it: drafts, and answers, skips and reports that wait to be sent.
 * Everything is held in memory too, so reading never waits, and without a database work goes on until the page closes.
 */

import { find } from "../page/dom.js";
import { Refused, send } from "./api.js";
import { TABLES, openStore, result } from "./store.js";
import { lock } from "./tabs.js";

/**
 * @typedef {object} Entry what ends a pair, waiting to be sent
 * @property {string} study
 * @property {number} assignment
 * @property {"submit" | "skip" | "report"} verb
 * @property {string} address
 * @property {string} draftAddress
 * @property {any} body Api.Submission, Api.Skip or Api.Report
 * @property {number} [order] its place in the line, once it is stored
 * @property {boolean} [inMemory] whether it could not be stored
 */
/**
 * @typedef {object} DraftRecord what is kept of a pair that is not ended
 * @property {string} study
 * @property {number} assignment
 * @property {string} [address] where its draft goes
 * @property {Api.Draft} [body]
 * @property {boolean} [synced] whether the server has the draft as it is here
 * @property {boolean} [refused] whether the server will not take it
 * @property {boolean} [hidden] whether the person has hidden both videos
 * @property {Api.Care} [care]
 * @property {boolean} [careSent]
 */
/** @typedef {DraftRecord & { address: string, body: Api.Draft }} Draft */
/**
 * @typedef {object} Outcome what became of an entry; with neither a response nor a refusal it waits for consent
 * @property {Entry} entry
 * @property {any} [response] Api.Submitted, Api.Desk or Api.ReportOutcome
 * @property {Refused} [refusal]
 * @property {Api.Desk | null} desk what comes next, if the response says that
 */
const MOST_DRAFTS = 100;
const TAKEN = Symbol("taken");

/** @param {DraftRecord} record @returns {record is DraftRecord & { care: Api.Care }} */
const hasCare = (record) => record.care !== undefined;
/** @param {DraftRecord} record @returns {record is Draft} */
const hasDraft = (record) => record.body !== undefined;

/** Another tab works on the study now: its drafts are not ours to write. */
class Taken extends Error {}

/**
 * Events: `storage` when it begins or stops to outlive the page; `taken_over` when a write was refused because another tab
 * works on the study now.
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

  /** Opens the person's database, once; without one, memory serves. */
  open() {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open() {
    if ("trial" in document.body.dataset) return; // nothing of a trial is kept beyond the page
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
    return this.#waiting.filter((entry) => !this.#isHeldBack(entry)).length;
  }

  /** How many answers to a study wait until their person agrees to it again. @param {string} study */
  heldBackOf(study) {
    return this.#waiting.filter((entry) => entry.study === study && this.#isHeldBack(entry)).length;
  }

  /** @param {Entry} entry */
  #isHeldBack({ assignment }) {
    return this.#heldBack.has(assignment);
  }

  /** @param {number} assignment */
  isWaiting(assignment) {
    return this.#waiting.some((entry) => entry.assignment === assignment);
  }

  /**
   * This tab works on the study from now on, and reads what the last one left.
   *
   * @param {string} study
   * @param {string} tab
   */
  async claim(study, tab) {
    this.#claim = { study, tab };
    await this.#write((table) => result(table("desks").put({ study, tab })));
    await this.reload();
  }

  /** Reads everything anew: another tab may have written. */
  async reload() {
    const drafts = await this.#read((table) => result(table("drafts").getAll()));
    if (drafts) this.#drafts = new Map(drafts.map((draft) => [draft.assignment, draft]));
    await this.waiting();
  }

  /** The record of an assignment, or an empty object. @param {number} assignment @returns {Partial<DraftRecord>} */
  draftOf(assignment) {
    return this.#drafts.get(assignment) ?? {};
  }

  /** Drafts that the server does not have as they are here. */
  get unsynced() {
    return [...this.#drafts.values()].filter(hasDraft).filter((draft) => !draft.synced && !draft.refused);
  }

  /** The same and what the server refused: all that would be gone with this browser's data. */
  get unsent() {
    return [...this.#drafts.values()].filter(hasDraft).filter((draft) => !draft.synced);
  }

  /** Records whose `care` the server does not have. */
  get unreported() {
    return [...this.#drafts.values()].filter(hasCare).filter((record) => !record.careSent);
  }

  /**
   * Merges `part` into an assignment's record, unless another tab works on the study.
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
   * The same at the page's end, when only what is asked for at once is still done.
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

  /** Drops what the server has, oldest first, beyond a number that nobody holds at once. */
  prune() {
    const old = [...this.#drafts.values()].filter((draft) => draft.synced || !draft.body);
    old.sort((one, other) => one.assignment - other.assignment);
    for (const { study, assignment } of old.slice(0, -MOST_DRAFTS)) this.forget(study, assignment);
  }

  /** Puts an entry in line, in place of its draft; it is sent from here only. @param {Entry} entry */
  enqueue(entry) {
    if (this.isWaiting(entry.assignment)) return Promise.resolve();
    this.#waiting.push(entry);
    this.#drafts.delete(entry.assignment);
    return this.#store ? this.#putInLine(entry) : Promise.resolve();
  }

  /** An entry has its `order` once it is stored; one that could not be is in memory alone. @param {Entry} entry */
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
    else entry.order = /** @type {number} */ (order);
  }

  /** What waits, first come first, of all tabs. */
  async waiting() {
    await this.#writing.catch(() => {});
    const stored = await this.#read((table) => result(table("submissions").getAll()));
    if (stored) {
      const gone = this.#waiting.filter((entry) => entry.order && !stored.some(({ order }) => order === entry.order));
      this.#waiting = [...stored, ...this.#waiting.filter((entry) => entry.order === undefined)];
      await this.#takeBack(gone);
    }
    return this.#waiting;
  }

  /** Another tab has sent these; what was refused of them is a draft again. @param {Entry[]} entries */
  async #takeBack(entries) {
    for (const { study, assignment } of entries) {
      const draft = await this.#read((table) => result(table("drafts").get([study, assignment])));
      if (draft && !this.#drafts.has(assignment)) this.#drafts.set(assignment, draft);
    }
  }

  /**
   * Sends all that waits, in order and once through, and yields what became of each. One tab sends at a time; if two do, an answer's
   * own id lets the server store it once. What is refused because consent was withdrawn keeps its place in the line, and is
   * tried again the next time. Raises Trouble.
   *
   * @param {string} [study] whose next desk is asked for with the last entry
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

  /** The same for who does not want to know what became of each. Raises Trouble. */
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
      return { entry, response, desk: wantsDesk ? response : null };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "consent") {
        this.#heldBack.add(entry.assignment);
        return { entry, desk: null };
      }
      const canBeMended = entry.verb === "submit" && !error.isOver; // a skip that is refused is simply not done
      await this.#remove(entry, canBeMended ? entry.body : null);
      return { entry, refusal: error, desk: null };
    }
  }

  /**
   * The server has said what became of an entry. With `mend`, its answers become a draft again.
   *
   * @param {Entry} entry
   * @param {Api.Draft | null} [mend]
   */
  #remove(entry, mend = null) {
    this.#waiting = this.#waiting.filter((other) => other.assignment !== entry.assignment);
    const { study, assignment } = entry;
    const record = mend && { study, assignment, address: entry.draftAddress, body: mend, synced: false };
    if (record) this.#drafts.set(entry.assignment, record);
    else this.#drafts.delete(entry.assignment);
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
   * Reads. Return null without a database.
   *
   * @template T
   * @param {(table: TableOf) => Promise<T>} work
   */
  async #read(work) {
    try {
      return this.#store ? await this.#store.run("readonly", work) : null;
    } catch {
      this.#note(false);
      return null;
    }
  }

  /**
   * Writes at once. Return null where that failed and memory alone keeps it, and TAKEN where it was refused.
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
      const answer = await this.#store.run("readwrite", work);
      this.#note(true);
      return answer;
    } catch (error) {
      if (error instanceof Taken) {
        this.dispatchEvent(new Event("taken_over"));
        return TAKEN;
      }
      this.#note(false);
      return null;
    }
  }

  /** @param {boolean} works */
  #note(works) {
    if (works === this.#works) return;
    this.#works = works;
    if (works) for (const entry of this.#waiting) if (entry.inMemory) this.#putInLine(entry);
    this.dispatchEvent(new Event("storage"));
  }
}

/** The outbox of the person who is signed in on this page. */
export const outbox = new Outbox(find("form[data-sign-out]")?.dataset.person ?? "");
