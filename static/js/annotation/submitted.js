/** The pairs that the person has submitted, in order: the way back to the previous one leads through them. */

import { given } from "../page/dom.js";
import { serverNow } from "./server_time.js";

/**
 * @typedef {object} Submitted
 * @property {number} id the assignment
 * @property {number | null} number the person's ordinal number of this pair; null: not known
 * @property {Api.Assignment} [assignment] as the page showed it; only of the last few of this visit
 * @property {Api.Draft} [body] the answers that were submitted, or the last change of them
 * @property {number} [at] when it was submitted, in milliseconds since 1970
 */

/** Of so many pairs the page keeps all that it needs to show them again without the server. */
const MOST_WHOLE = 3;

const { body } = document;
const answered = Number(given(body, "answered"));

/** In the order of submission. At first those that the server had when it made the page. @type {Submitted[]} */
const submitted = [];
for (const id of given(body, "latestAnswered").split(" ").filter(Boolean)) {
  submitted.unshift({ id: Number(id), number: answered - submitted.length });
}

/** Answers that an earlier visit to the page has left to be sent. @param {OutboxEntry[]} entries */
export function noteWaiting(entries) {
  for (const { study, verb, assignment: id, body: answers } of entries) {
    if (study === body.dataset.study && verb === "submit") noteSubmitted({ id, number: null, body: answers });
  }
}

/** A pair was submitted. @param {Submitted} one */
export function noteSubmitted(one) {
  if (submitted.some(({ id }) => id === one.id)) return;
  submitted.push({ at: serverNow(), ...one });
  for (const old of submitted.slice(0, -MOST_WHOLE)) delete old.assignment;
}

/** The answers of a pair were changed. @param {number} id @param {Api.Draft} changed */
export function noteChanged(id, changed) {
  const one = submitted.find((each) => each.id === id);
  if (one) one.body = changed;
}

/** The pair that was submitted before this one, or the last one; undefined if there is none. @param {number | null} id */
export function submittedBefore(id) {
  const at = submitted.findIndex((each) => each.id === id);
  return submitted[(at < 0 ? submitted.length : at) - 1];
}
