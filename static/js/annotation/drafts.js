/** Unfinished answers: kept in the browser at once, at the server shortly after, and when the page is left. */

import { given, pause, say } from "../page/dom.js";
import { clear, quietWord, standingWord } from "../page/status.js";
import { clockTime } from "../page/times.js";
import { Refused, Trouble, addressOf, send } from "./api.js";
import { outbox } from "./outbox.js";
import { collect } from "./pair_view.js";

const study = given(document.body, "study");
const SETTLE_MS = 400;
const SLOWEST_RETRY_MS = 30_000;

/**
 * Of two drafts of one pair, the one with more work in it: its active time only ever grows.
 *
 * @param {Api.Draft | null | undefined} ours
 * @param {Api.Draft | null | undefined} theirs
 */
export function further(ours, theirs) {
  if (!ours || !theirs) return ours ?? theirs ?? undefined;
  return worked(theirs) > worked(ours) ? theirs : ours;
}

/** @param {Api.Draft} draft */
const worked = (draft) => draft.timings_ms?.total_active ?? 0;

/** Event: `gone` when the pair that it attends to was answered or skipped elsewhere. */
class Drafts extends EventTarget {
  /** @type {number | null} */
  #id = null;
  #timer = 0;
  #busy = false;
  #stale = false;

  /** From now on for this assignment; null: for none. @param {number | null} assignmentId */
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
    this.#stale = false;
    outbox.keep(study, this.#id, this.#record(this.#id));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sync(), SETTLE_MS);
  }

  /** Time has passed on a pair that has a draft: kept when the page is next left. */
  grew() {
    this.#stale = this.#id !== null && Boolean(outbox.draftOf(this.#id).body);
  }

  /** With its address, so that it can be sent from any page. @param {number} assignment */
  #record(assignment) {
    return { address: addressOf("draft", assignment), body: collect(), synced: false, refused: false };
  }

  /** The page may not come back: keeps and sends what there is, without waiting for either. */
  leave() {
    if (this.#id === null) return;
    const { body, synced } = outbox.draftOf(this.#id);
    if (!body || (synced && !this.#stale)) return;
    const last = this.#record(this.#id);
    this.#stale = false;
    outbox.keepLast(study, this.#id, last);
    send("PUT", last.address, last.body, { keepalive: true }).catch(() => {});
  }

  /** Brings every draft to the server that it does not have, of this pair and of earlier ones. */
  async sync() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      let wait = 1000;
      for (let [draft] = outbox.unsynced; draft; [draft] = outbox.unsynced) {
        if (await this.#reaches(draft)) {
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

  /** Whether the server has decided about a draft, which may have changed meanwhile. @param {KeptDraft} draft */
  async #reaches({ study: its, assignment, address, body }) {
    const slow = setTimeout(() => quietWord(say("saving")), 500);
    try {
      await send("PUT", address, body);
      if (outbox.draftOf(assignment).body === body) outbox.keep(its, assignment, { synced: true });
      if (assignment === this.#id) this.#saved();
      return true;
    } catch (error) {
      if (error instanceof Trouble) return false;
      if (!(error instanceof Refused)) throw error;
      this.#refused(its, assignment, error);
      return true;
    } finally {
      clearTimeout(slow);
    }
  }

  #saved() {
    clear("draft");
    quietWord(say("saved", { time: clockTime(Date.now()) }), "good");
  }

  /** @param {string} its the study of the draft @param {number} assignment @param {Refused} error */
  #refused(its, assignment, error) {
    if (error.isOver) {
      outbox.forget(its, assignment);
      if (assignment === this.#id) this.dispatchEvent(new Event("gone"));
      return;
    }
    outbox.keep(its, assignment, { refused: true });
    if (assignment !== this.#id) return;
    if (error.status === 404) standingWord("draft", say("not_yours"), "bad");
    else standingWord("draft", say("refused", { detail: error.message }), "bad");
  }
}

export const drafts = new Drafts();
