/** How many pairs the person has answered in the study, with what waits to be sent. */

import { given } from "../page/dom.js";
import { countEarlier } from "./time_on_task.js";

const { body } = document;
const study = given(body, "study");
let count = Number(given(body, "answered"));
/** Assignments whose answers are in that number: the latest that the server had, and what waits to be sent. */
const counted = new Set(given(body, "latestAnswered").split(" ").map(Number));

export const answeredCount = () => count;

/** One more is answered, or one answer is refused. @param {1 | -1} difference */
export function countAnswer(difference) {
  count += difference;
}

/** What an earlier visit answered and nobody has sent yet belongs to what was done. @param {OutboxEntry[]} entries */
export function countWaiting(entries) {
  for (const { assignment, verb, body: { timings_ms: timings }, ...entry } of entries) {
    if (verb !== "submit" || entry.study !== study || counted.has(assignment)) continue;
    counted.add(assignment);
    count += 1;
    countEarlier(assignment, timings);
  }
}
