/** Find the pair that was submitted before another one, with its answers, so that they can be changed. */

import { given, say } from "../page/dom.js";
import { showPassing } from "../page/status.js";
import { Trouble } from "./api.js";
import { outbox } from "./outbox.js";
import { revising } from "./revising.js";
import { serverNow } from "./server_time.js";
import { submittedBefore } from "./submitted.js";

/** @typedef {import("./submitted.js").Submitted} Submitted */
/**
 * @typedef {object} Answered
 * @property {Api.Assignment} assignment
 * @property {Api.Draft} answers
 * @property {number | null} number ordinal number of this pair for the person
 * @property {number | Date} at when it was answered
 */

/** How long people can change an answer after submitting it. */
const REOPEN_MS = 1000 * Number(given(document.body, "reopenS"));

/**
 * Return the pair that was submitted before this one, or last. The answers come from this page if the server may not have them yet
 * or cannot be reached. If the pair cannot be opened, say why and return null.
 *
 * @param {number | null} id the assignment of an answered pair that is on the page
 * @returns {Promise<Answered | null>}
 */
export async function pairBefore(id) {
  const previous = submittedBefore(id);
  if (!previous) return refuse("previous_none");
  if (outbox.hasEntryOf(previous.id)) return keptHere(previous) ?? refuse("previous_on_its_way");
  try {
    const assignment = await revising.reopen(previous.id);
    return assignment && {
      assignment,
      answers: assignment.draft,
      number: previous.number ?? assignment.number,
      at: new Date(assignment.answered_at),
    };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    const here = keptHere(previous);
    if (!here) return refuse("previous_unreachable");
    return Number(here.at) + REOPEN_MS < serverNow() ? refuse("previous_too_late") : here;
  }
}

/** @param {Submitted} previous @returns {Answered | null} */
function keptHere({ assignment, body, number, at = serverNow() }) {
  return assignment && body ? { assignment, answers: body, number, at } : null;
}

/** @param {string} word */
function refuse(word) {
  showPassing(say(word), "warn");
  return null;
}
