/** Number of pairs that the person has answered in the study, including answers that wait to be sent. */

import { given } from "../page/dom.js";

const { body } = document;
const study = given(body, "study");
let count = Number(given(body, "answered"));
/** Assignments that are counted already: the latest ones that the server had, and those that wait to be sent. */
const counted = new Set(given(body, "latestAnswered").split(" ").map(Number));

/** How many of the answers were given before today. */
let earlier = count - Number(given(body, "answeredToday"));

export const answeredCount = () => count;

export const answeredToday = () => Math.max(0, count - earlier);

/** Begin a new day for the person. */
export function beginDay() {
  earlier = count;
}

/** Add one answer, or subtract one that was refused. @param {1 | -1} difference */
export function countAnswer(difference) {
  count += difference;
}

/**
 * Count answers of an earlier visit that wait to be sent. Return the entries that were not counted before.
 *
 * @param {OutboxEntry[]} entries
 */
export function countWaiting(entries) {
  const more = entries.filter(({ verb, assignment, ...entry }) => verb === "submit" && entry.study === study && !counted.has(assignment));
  for (const { assignment } of more) counted.add(assignment);
  count += more.length;
  return more;
}
