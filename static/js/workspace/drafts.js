/** Unfinished answers: kept in the browser at once, at the server shortly after, and when the page is left. */

import { Refused, Trouble, addressOf, send } from "./api.js";
import { pause, say } from "../page/dom.js";
import { isOver } from "./sending.js";
import { clear, quietWord, standingWord } from "../page/status.js";

const SETTLE_MS = 400;
const SLOWEST_RETRY_MS = 30_000;

/** Of two drafts of one pair, the one with more work in it: its active time only ever grows. */
export function further(ours, theirs) {
  if (!ours || !theirs) return ours ?? theirs ?? undefined;
  return worked(theirs) > worked(ours) ? theirs : ours;
}

const worked = (draft) => draft.timings_ms?.total_active ?? 0;

export class Drafts {
  #keeping;
  #study;
  #collect;
  #onGone;
  #id = null;
  #timer = 0;
  #busy = false;
  #stale = false;

  /** `collect()` answers the draft's body; `onGone(id)` is called if the pair was answered elsewhere. */
  constructor(keeping, study, { collect, onGone }) {
    this.#keeping = keeping;
    this.#study = study;
    this.#collect = collect;
    this.#onGone = onGone;
    addEventListener("pagehide", () => this.#leave());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#leave(); });
  }

  /** From now on for this assignment; null: for none. */
  attend(assignmentId) {
    if (this.#stale) this.changed();
    this.#id = assignmentId;
    this.#stale = false;
    clear("draft");
  }

  /** From now on for none, and nothing more is written: another tab has the pair. */
  drop() {
    this.#stale = false;
    this.attend(null);
  }

  /** An answer was given, changed or taken back. */
  changed() {
    if (this.#id === null) return;
    this.#keep();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sync(), SETTLE_MS);
  }

  /** Time has passed on a pair that has a draft: kept when the page is next left. */
  grew() {
    this.#stale = this.#id !== null && Boolean(this.#keeping.draftOf(this.#id).body);
  }

  #keep() {
    this.#stale = false;
    return this.#keeping.keep(this.#study, this.#id, this.#record());
  }

  /** With its address, so that it can be sent from any page. */
  #record() {
    return { address: addressOf("draft", this.#id), body: this.#collect(), synced: false, refused: false };
  }

  /** Brings every draft to the server that it does not have, of this pair and of earlier ones. */
  async sync() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let wait = 1000; this.#keeping.unsynced.length; ) {
        const record = this.#keeping.unsynced[0];
        if (await this.#reaches(record)) {
          wait = 1000;
          continue;
        }
        await pause(wait);
        wait = Math.min(wait * 2, SLOWEST_RETRY_MS);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** Whether the server has decided about a draft, which may have changed meanwhile. */
  async #reaches({ study, assignment, address, body }) {
    const slow = setTimeout(() => quietWord(say("saving")), 500);
    try {
      await send("PUT", address, body);
      if (this.#keeping.draftOf(assignment).body === body) this.#keeping.keep(study, assignment, { synced: true });
      if (assignment === this.#id) this.#saved();
      return true;
    } catch (error) {
      if (error instanceof Trouble) return false;
      if (!(error instanceof Refused)) throw error;
      this.#refused(study, assignment, error);
      return true;
    } finally {
      clearTimeout(slow);
    }
  }

  #saved() {
    clear("draft");
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    quietWord(say("saved", { time }), "good");
  }

  #refused(study, assignment, error) {
    if (isOver(error)) {
      this.#keeping.forget(study, assignment);
      if (assignment === this.#id) this.#onGone(assignment);
      return;
    }
    this.#keeping.keep(study, assignment, { refused: true });
    if (assignment !== this.#id) return;
    if (error.status === 404) standingWord("draft", say("not_yours"), "bad");
    else standingWord("draft", say("refused", { detail: error.message }), "bad");
  }

  /** The page may not come back: keeps and sends what there is, without waiting for either. */
  #leave() {
    if (this.#id === null) return;
    const { body, synced } = this.#keeping.draftOf(this.#id);
    if (!body || (synced && !this.#stale)) return;
    const last = this.#record();
    this.#stale = false;
    this.#keeping.keepLast(this.#study, this.#id, last);
    send("PUT", last.address, last.body, { keepalive: true }).catch(() => {});
  }
}
