/** Show a pair and remove it, together with its draft, the person's exposure and their active time. */

import { answeredCount, countAnswer } from "./answered.js";
import { countInBatch, showBatchPlace } from "./batch_place.js";
import { careReports } from "./care_reports.js";
import { current } from "./current_pair.js";
import { drafts, moreActive } from "./drafts.js";
import { outbox } from "./outbox.js";
import * as view from "./pair_view.js";
import { hideReminder, noteAnswer, showReminder } from "./reminder.js";
import { showRemarks } from "./remarks.js";
import { addSubmitted } from "./submitted.js";
import * as timeOnTask from "./time_on_task.js";
import { welcome } from "./welcome.js";

const GROWS_MS = 5000;

/** Show a leased pair with the draft that this browser or the server has. @param {Api.Assignment} assignment */
export function showLeased(assignment) {
  const { body, hidden, care } = outbox.draftOf(assignment.id);
  const draft = moreActive(body, assignment.draft);
  drafts.attend(null);
  put(assignment, draft, { hidden, number: answeredCount() + 1, earlierCare: care ?? body?.care });
  showReminder(assignment);
  showBatchPlace(true);
  drafts.attend(assignment.id);
}

/**
 * Show an answered pair with its answers. Changes of these answers are not drafts.
 *
 * @param {Api.Assignment} assignment
 * @param {Api.Draft} answers
 * @param {number | null} number the person's ordinal number of this pair
 */
export function showAnswered(assignment, answers, number) {
  drafts.attend(null);
  put(assignment, answers, { number });
  hideReminder();
  showBatchPlace(false);
}

/**
 * @param {Api.Assignment} assignment
 * @param {Api.Draft | undefined} draft
 * @param {Parameters<typeof view.show>[2]} options
 */
function put(assignment, draft, options) {
  clear();
  view.show(assignment, draft, options);
  showRemarks();
  careReports.begin();
  timeOnTask.countEarlier(assignment.id, draft?.timings_ms);
  timeOnTask.paint();
  welcome(answeredCount());
}

/**
 * Count a pair that is being submitted, skipped or reported, in every number on the page.
 *
 * @param {string} verb @param {Api.Assignment} assignment @param {Api.Draft} body
 */
export function countEnded(verb, assignment, body) {
  countInBatch(verb === "submit");
  if (verb !== "submit") return;
  countAnswer(1);
  noteAnswer(assignment, body);
  addSubmitted({ id: assignment.id, number: answeredCount(), assignment, body });
}

/** Remove the current pair from the page, and end any waiting. The draft is kept. */
export function takeOff() {
  if (current.busy) view.wait(false);
  drafts.attend(null);
  clear();
}

/** Remove the current pair and write nothing more: another tab has it. */
export function drop() {
  drafts.drop();
  takeOff();
}

function clear() {
  if (!current.assignment) return;
  careReports.send();
  view.clear();
  showBatchPlace(false);
}

/** Save everything, because the page may not come back. */
function leavePage() {
  drafts.leave();
  careReports.send({ keepalive: true });
}

setInterval(() => drafts.grew(), GROWS_MS);
addEventListener("pagehide", leavePage);
document.addEventListener("visibilitychange", () => { if (document.hidden) leavePage(); });
