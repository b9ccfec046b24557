/**
 * Reports what was revealed of a pair that may show harm, beside drafts and answers: a page that is closed, a lease that
 * runs out, and an answer that is looked at again without a change are reported too. What could not be sent is kept in
 * the browser, and sent by the next page of the study.
 */

import { Refused, Trouble, addressOf, send } from "./api.js";
import { care } from "./bench.js";
import { hand, onLeave, onShow, reportWith } from "./pair.js";

const KEEP_MS = 5_000;
const SEND_MS = 60_000;
/** Less than this is not worth a request of its own. */
const LEAST_S = 1;

export class CareReports {
  #keeping;
  #study;
  #told = 0;
  #sentAt = 0;

  constructor(keeping, study) {
    this.#keeping = keeping;
    this.#study = study;
    onShow(() => { this.#told = amount(care()); });
    onLeave(() => this.#send());
    reportWith(() => this.#collected());
    addEventListener("pagehide", () => this.#send({ keepalive: true }));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#send({ keepalive: true }); });
    setInterval(() => this.#keepOrSend(), KEEP_MS);
  }

  /** A draft or an answer takes it along; a revision only if it changes the answer. */
  #collected() {
    if (!document.body.hasAttribute("data-revising-open")) this.#told = amount(care());
  }

  #keepOrSend() {
    if (!this.#hasGrown()) return;
    if (performance.now() - this.#sentAt >= SEND_MS) this.#send();
    else this.#keeping.keep(this.#study, hand.assignment.id, { care: care(), careSent: false });
  }

  /** Whether there is more to report of the pair in hand than what is on its way. */
  #hasGrown() {
    const { assignment } = hand;
    if (!assignment?.sensitive || this.#keeping.isWaiting(assignment.id)) return false;
    return amount(care()) - this.#told >= LEAST_S;
  }

  #send({ keepalive = false } = {}) {
    if (!this.#hasGrown()) return;
    const record = { study: this.#study, assignment: hand.assignment.id, care: care() };
    this.#told = amount(record.care);
    this.#sentAt = performance.now();
    this.#keeping[keepalive ? "keepLast" : "keep"](record.study, record.assignment, { care: record.care, careSent: false });
    this.#deliver(record, { keepalive }).catch(() => {});
  }

  /** Sends what earlier pages of the study could not. */
  async sync() {
    for (const record of this.#keeping.unreported) await this.#deliver(record).catch(() => {});
  }

  /** Raises Trouble. */
  async #deliver({ study, assignment, care: report }, { keepalive = false } = {}) {
    try {
      await send("POST", addressOf("care", assignment), { care: report }, { keepalive });
    } catch (error) {
      if (error instanceof Trouble || !(error instanceof Refused)) throw error;
    }
    const record = this.#keeping.draftOf(assignment);
    if (record.care !== report) return; // more has come, or the pair has ended
    if (record.body || record.hidden || assignment === hand.assignment?.id) this.#keeping.keep(study, assignment, { careSent: true });
    else this.#keeping.forget(study, assignment);
  }
}

/** One number that grows with everything that a showing counts. */
const amount = ({ revealed_s: seconds, hidden }) => Object.values(seconds).reduce((sum, one) => sum + one, hidden);
