/** Putting a pair on the page and taking it off, with what belongs to that: its draft, the person's exposure, and their time. */

import { answeredCount, countAnswer } from "./answered.js";
import { countInBatch, showBatchPlace } from "./batch_place.js";
import { careReports } from "./care_reports.js";
import { current } from "./current_pair.js";
import { drafts, further } from "./drafts.js";
import { outbox } from "./outbox.js";
import * as view from "./pair_view.js";
import { hideReminder, noteAnswer, showReminder } from "./reminder.js";
import { showRemarks } from "./remarks.js";
import { noteSubmitted } from "./submitted.js";
import * as timeOnTask from "./time_on_task.js";
import { welcome } from "./welcome.js";

const GROWS_MS = 5000;

/** Puts a leased pair on the page, with what this browser or the server has kept of it. @param {Api.Assignment} assignment */
export function showLeased(assignment) {
  const { body, hidden, care } = outbox.draftOf(assignment.id);
  const draft = further(body, assignment.draft);
  drafts.attend(null);
  put(assignment, draft, { hidden, number: answeredCount() + 1, earlierCare: care ?? body?.care });
  showReminder(assignment);
  showBatchPlace(true);
  drafts.attend(assignment.id);
}

/**
 * Puts an answered pair on the page, with its answers. Changes of these are not drafts.
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
 * A pair is being submitted, skipped or reported: counts it wherever the page says how many there are.
 *
 * @param {string} verb @param {Api.Assignment} assignment @param {Api.Draft} body
 */
export function countEnded(verb, assignment, body) {
  countInBatch(verb === "submit");
  if (verb !== "submit") return;
  countAnswer(1);
  noteAnswer(assignment, body);
  noteSubmitted({ id: assignment.id, number: answeredCount(), assignment, body });
}

/** Takes the current pair off the page, and lets the page go on if it waits. The draft stays. */
export function takeOff() {
  if (current.busy) view.wait(false);
  drafts.attend(null);
  clear();
}

/** The same, and nothing more is written: another tab has the pair. */
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

/** The page may not come back. */
function leavePage() {
  drafts.leave();
  careReports.send({ keepalive: true });
}

setInterval(() => drafts.grew(), GROWS_MS);
addEventListener("pagehide", leavePage);
document.addEventListener("visibilitychange", () => { if (document.hidden) leavePage(); });
