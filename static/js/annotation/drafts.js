/** Save unfinished answers: immediately in the browser, and shortly afterwards, or when the person leaves the page, on the server. */

import { given, pause, say } from "../page/dom.js";
import { removeLasting, showLasting, showQuietly } from "../page/status.js";
import { clockTime } from "../page/times.js";
import { Refused, Trouble, addressOf, send } from "./api.js";
import { outbox } from "./outbox.js";
import { collect } from "./pair_view.js";

const study = given(document.body, "study");
const DELAY_MS = 400;
const SLOWEST_RETRY_MS = 30_000;

/**
 * Return the one of two drafts of a pair that has more active time, which is the later one: active time only grows.
 *
 * @param {Api.Draft | null | undefined} ours
 * @param {Api.Draft | null | undefined} theirs
 */
export function moreActive(ours, theirs) {
  if (!ours || !theirs) return ours ?? theirs ?? undefined;
  return worked(theirs) > worked(ours) ? theirs : ours;
}

/** @param {Api.Draft} draft */
const worked = (draft) => draft.timings_ms?.total_active ?? 0;

/** Event: `gone` when the current pair was answered or skipped elsewhere. */
class Drafts extends EventTarget {
  /** @type {number | null} */
  #id = null;
  #timer = 0;
  #busy = false;
  #stale = false;

  /** Start to save drafts of this assignment. With null, save no drafts. @param {number | null} assignmentId */
  attend(assignmentId) {
    if (this.#stale) this.changed();
    this.#id = assignmentId;
    this.#stale = false;
    removeLasting("draft");
  }

  /** Stop, and write nothing more: another tab has the pair. */
  drop() {
    this.#stale = false;
    this.attend(null);
  }

  /** Save the draft after an answer was given, changed or undone. */
  changed() {
    if (this.#id === null) return;
    this.#stale = false;
    outbox.keep(study, this.#id, this.#record(this.#id));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sync(), DELAY_MS);
  }

  /** Remember that the active time of a pair with a draft has grown. The draft is saved when the person leaves the page. */
  grew() {
    this.#stale = this.#id !== null && Boolean(outbox.draftOf(this.#id).body);
  }

  /** Return the draft with its address, so that any page can send it. @param {number} assignment */
  #record(assignment) {
    return { address: addressOf("draft", assignment), body: collect(), synced: false, refused: false };
  }

  /** Save and send the draft without waiting, because the page may not come back. */
  leave() {
    if (this.#id === null) return;
    const { body, synced } = outbox.draftOf(this.#id);
    if (!body || (synced && !this.#stale)) return;
    const last = this.#record(this.#id);
    this.#stale = false;
    outbox.keepLast(study, this.#id, last);
    send("PUT", last.address, last.body, { keepalive: true }).catch(() => {});
  }

  /** Send every draft that the server does not have, of this pair and of earlier ones. */
  async sync() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      let wait = 1000;
      for (let [draft] = outbox.unsynced; draft; [draft] = outbox.unsynced) {
        if (await this.#deliver(draft)) {
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

  /** Send one draft, which may change in the meantime. Return whether the server responded. @param {KeptDraft} draft */
  async #deliver({ study: its, assignment, address, body }) {
    const slow = setTimeout(() => showQuietly(say("saving")), 500);
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
    removeLasting("draft");
    showQuietly(say("saved", { time: clockTime(Date.now()) }), "good");
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
    if (error.status === 404) showLasting("draft", say("not_yours"), "bad");
    else showLasting("draft", say("refused", { detail: error.message }), "bad");
  }
}

export const drafts = new Drafts();
