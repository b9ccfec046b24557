/**
 * Report the exposure to a pair that may show harm, and how often the person hid the videos of any pair, independently of drafts
 * and answers. This also covers a page that is closed, a lease that ends, and an answer that is looked at again but not changed.
 * The browser keeps a report that could not be sent, and the next page of the study sends it.
 */

import { given } from "../page/dom.js";
import { Refused, Trouble, addressOf, send } from "./api.js";
import { current } from "./current_pair.js";
import { outbox } from "./outbox.js";
import { revising } from "./revising.js";
import { care } from "./videos.js";

const study = given(document.body, "study");
const KEEP_MS = 5_000;
const SEND_MS = 60_000;
/** A smaller amount is not worth a request: a second of a video, or one hide. */
const LEAST = 1;

class CareReports {
  /** The exposure that was reported or is being sent, as `amountHere` counts it. */
  #reported = 0;
  #sentAt = 0;

  constructor() {
    setInterval(() => this.#keepOrSend(), KEEP_MS);
  }

  /** Begin with a pair that was put on the page. */
  begin() {
    this.#reported = amountHere();
  }

  /** Note that a draft or an answer contains the report. A revision contains it only if it changes the answer. */
  collected() {
    if (!revising.open) this.#reported = amountHere();
  }

  #keepOrSend() {
    const assignment = this.#toReport();
    if (!assignment) return;
    if (performance.now() - this.#sentAt >= SEND_MS) this.send();
    else outbox.keep(study, assignment.id, { care: care(), careSent: false });
  }

  /** Return the current pair if there is something new to report about it, or null. */
  #toReport() {
    const { assignment } = current;
    if (!assignment || (outbox.isWaiting(assignment.id) && !revising.open)) return null;
    return amountHere() - this.#reported >= LEAST ? assignment : null;
  }

  /** Send the report if there is something new. With `keepalive` it arrives even if the page is closed. */
  send({ keepalive = false } = {}) {
    const assignment = this.#toReport();
    if (!assignment) return;
    const report = care();
    this.#reported = amountHere();
    this.#sentAt = performance.now();
    outbox[keepalive ? "keepLast" : "keep"](study, assignment.id, { care: report, careSent: false });
    this.#deliver(study, assignment.id, report, { keepalive }).catch(() => {});
  }

  /** Send the reports that earlier pages of the study could not send. */
  async sync() {
    for (const { study: its, assignment, care: report } of outbox.unreported) {
      await this.#deliver(its, assignment, report).catch(() => {});
    }
  }

  /**
   * Send one report. Throws Trouble.
   *
   * @param {string} its the study of the assignment
   * @param {number} assignment
   * @param {Api.Care} report
   */
  async #deliver(its, assignment, report, { keepalive = false } = {}) {
    try {
      await send("POST", addressOf("care", assignment), { care: report }, { keepalive });
    } catch (error) {
      if (error instanceof Trouble || !(error instanceof Refused)) throw error;
    }
    const record = outbox.draftOf(assignment);
    if (record.care !== report) return; // the report has grown, or the pair has ended
    if (record.body || record.hidden || assignment === current.assignment?.id) outbox.keep(its, assignment, { careSent: true });
    else outbox.forget(its, assignment);
  }
}

/**
 * Return one number that grows with every figure of the showing that counts: of a pair that may show harm the seconds and the hides,
 * of other pairs the hides only.
 */
function amountHere() {
  const { revealed_s: seconds, hidden } = care();
  return current.assignment?.sensitive ? Object.values(seconds).reduce((sum, one) => sum + one, hidden) : hidden;
}

export const careReports = new CareReports();
