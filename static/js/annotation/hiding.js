/** Hiding both videos, for whatever reason; a reload keeps them hidden. */

import { say } from "../page/dom.js";
import { passingWord, unsay } from "../page/status.js";
import { current } from "./current_pair.js";
import { outbox } from "./outbox.js";
import { revising } from "./revising.js";
import { byTouch } from "./settings.js";
import { player } from "./videos.js";

/**
 * Hides, pauses and mutes both videos, or shows them. A hide `counts` as a sign of distress unless a dialog asked for it.
 *
 * @param {boolean} hidden
 * @param {{ counts?: boolean }} [options]
 */
export function setHidden(hidden, { counts = true } = {}) {
  if (!current.assignment) return;
  player.hide(hidden, { counts });
  noteHidden(hidden);
  const words = say(byTouch.matches ? "hidden_by_touch" : "hidden");
  if (hidden) passingWord(words);
  else unsay(words);
}

/** For a dialog that opens. */
export const hideVideos = () => setHidden(true, { counts: false });

/** Keeps whether both are hidden, for a reload. @param {boolean} hidden */
function noteHidden(hidden) {
  const { assignment } = current;
  if (assignment && !revising.open) outbox.keep(assignment.study, assignment.id, { hidden });
}
