/** How many pairs the person has answered in the study, with what waits to be sent. */

import { given } from "../page/dom.js";

const { body } = document;
const study = given(body, "study");
let count = Number(given(body, "answered"));
/** Assignments whose answers are in that number: the latest that the server had, and what waits to be sent. */
const counted = new Set(given(body, "latestAnswered").split(" ").map(Number));

/** How many of them were answered before today. */
let earlier = count - Number(given(body, "answeredToday"));

export const answeredCount = () => count;

export const answeredToday = () => Math.max(0, count - earlier);

/** A new day begins for the person. */
export function beginDay() {
  earlier = count;
}

/** One more is answered, or one answer is refused. @param {1 | -1} difference */
export function countAnswer(difference) {
  count += difference;
}

/**
 * What an earlier visit answered and nobody has sent yet belongs to what was done. Return the entries that were not counted
 * before.
 *
 * @param {OutboxEntry[]} entries
 */
export function countWaiting(entries) {
  const more = entries.filter(({ verb, assignment, ...entry }) => verb === "submit" && entry.study === study && !counted.has(assignment));
  for (const { assignment } of more) counted.add(assignment);
  count += more.length;
  return more;
}
