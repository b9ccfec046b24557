/**
 * Reports what was revealed of a pair that may show harm, beside drafts and answers: a page that is closed, a lease that
 * runs out, and an answer that is looked at again without a change are reported too. What could not be sent is kept in
 * the browser, and sent by the next page of the study.
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
/** Less than this is not worth a request of its own. */
const LEAST_S = 1;

class CareReports {
  /** What was reported or is on its way, as `amount` counts it. */
  #reported = 0;
  #sentAt = 0;

  constructor() {
    setInterval(() => this.#keepOrSend(), KEEP_MS);
  }

  /** A pair was put on the page. */
  begin() {
    this.#reported = amount(care());
  }

  /** A draft or an answer takes it along; a revision only if it changes the answer. */
  collected() {
    if (!revising.open) this.#reported = amount(care());
  }

  #keepOrSend() {
    const assignment = this.#toReport();
    if (!assignment) return;
    if (performance.now() - this.#sentAt >= SEND_MS) this.send();
    else outbox.keep(study, assignment.id, { care: care(), careSent: false });
  }

  /** The current pair, if there is more to report of it than what is on its way; else null. */
  #toReport() {
    const { assignment } = current;
    if (!assignment?.sensitive || (outbox.isWaiting(assignment.id) && !revising.open)) return null;
    return amount(care()) - this.#reported >= LEAST_S ? assignment : null;
  }

  /** Sends what there is to report; with `keepalive`, so that it arrives if the page ends. */
  send({ keepalive = false } = {}) {
    const assignment = this.#toReport();
    if (!assignment) return;
    const report = care();
    this.#reported = amount(report);
    this.#sentAt = performance.now();
    outbox[keepalive ? "keepLast" : "keep"](study, assignment.id, { care: report, careSent: false });
    this.#deliver(study, assignment.id, report, { keepalive }).catch(() => {});
  }

  /** Sends what earlier pages of the study could not. */
  async sync() {
    for (const { study: its, assignment, care: report } of outbox.unreported) {
      await this.#deliver(its, assignment, report).catch(() => {});
    }
  }

  /**
   * Raises Trouble.
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
    if (record.care !== report) return; // more has come, or the pair has ended
    if (record.body || record.hidden || assignment === current.assignment?.id) outbox.keep(its, assignment, { careSent: true });
    else outbox.forget(its, assignment);
  }
}

/** One number that grows with everything that a showing counts. @param {Api.Care} care */
const amount = ({ revealed_s: seconds, hidden }) => Object.values(seconds).reduce((sum, one) => sum + one, hidden);

export const careReports = new CareReports();
