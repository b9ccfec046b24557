/** The pairs that the person has submitted, in order, so that they can go back to the previous one. */

import { given } from "../page/dom.js";
import { serverNow } from "./server_time.js";

/**
 * @typedef {object} Submitted
 * @property {number} id the assignment
 * @property {number | null} number ordinal number of this pair for the person; null: unknown
 * @property {Api.Assignment} [assignment] as the page showed it; only for the last few of this visit
 * @property {Api.Draft} [body] the answers that were submitted, or the last change of them
 * @property {number} [at] when it was submitted, in milliseconds since 1970
 */

/** Number of pairs that the page can show again without the server. */
const MOST_WHOLE = 3;

const { body } = document;
const answered = Number(given(body, "answered"));

/** In the order of submission. It begins with those that the server had when the page was loaded. @type {Submitted[]} */
const submitted = [];
for (const id of given(body, "latestAnswered").split(" ").filter(Boolean)) {
  submitted.unshift({ id: Number(id), number: answered - submitted.length });
}

/** Add answers of an earlier visit that wait to be sent. @param {OutboxEntry[]} entries */
export function addWaiting(entries) {
  for (const { study, verb, assignment: id, body: answers } of entries) {
    if (study === body.dataset.study && verb === "submit") addSubmitted({ id, number: null, body: answers });
  }
}

/** Add a submitted pair. @param {Submitted} one */
export function addSubmitted(one) {
  if (submitted.some(({ id }) => id === one.id)) return;
  submitted.push({ at: serverNow(), ...one });
  for (const old of submitted.slice(0, -MOST_WHOLE)) delete old.assignment;
}

/** Replace the answers of a pair that were changed. @param {number} id @param {Api.Draft} changed */
export function replaceAnswers(id, changed) {
  const one = submitted.find((each) => each.id === id);
  if (one) one.body = changed;
}

/** Return the pair submitted before this one, or the last one; undefined if there is none. @param {number | null} id */
export function submittedBefore(id) {
  const at = submitted.findIndex((each) => each.id === id);
  return submitted[(at < 0 ? submitted.length : at) - 1];
}
