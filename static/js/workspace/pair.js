/**
 * The pair in hand, and where other modules join in: what they add to every report, and what they do when a pair is
 * put on the page, is taken off it, or has been answered. One line each in main.js.
 */

/** `assignment`: what the page shows, or null. `began`: its person has let it play. `busy`: the page is held still. */
export const hand = { assignment: null, began: false, busy: false };

const reporters = [];
const arrivals = [];
const departures = [];
const outcomes = [];

/** `part()` answers a part of the body of drafts, answers and skips, such as `{ care: {…} }`. */
export const reportWith = (part) => reporters.push(part);

/** All parts in one; those that give an object under the same name are merged. */
export function report() {
  const body = {};
  for (const part of reporters) {
    for (const [name, value] of Object.entries(part() ?? {})) {
      body[name] = isPlain(value) && isPlain(body[name]) ? { ...body[name], ...value } : value;
    }
  }
  return body;
}

const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** `run(assignment, draft)` after a pair was put on the page; the draft may be undefined. */
export const onShow = (run) => arrivals.push(run);

/** `run(assignment)` before a pair is taken off the page, for whatever reason. */
export const onLeave = (run) => departures.push(run);

/** `run(sent, answer)` after the server took an answer or a skip: `sent` is `{verb, assignment, body}`. */
export const onTaken = (run) => outcomes.push(run);

export function shown(assignment, draft) {
  for (const run of arrivals) run(assignment, draft);
}

export function leaving() {
  if (!hand.assignment) return;
  for (const run of departures) run(hand.assignment);
}

export function taken(sent, answer) {
  for (const run of outcomes) run(sent, answer);
}
