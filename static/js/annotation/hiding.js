/** Hide both videos. They stay hidden after a reload. */

import { say } from "../page/dom.js";
import { showPassing, removePassing } from "../page/status.js";
import { current } from "./current_pair.js";
import { outbox } from "./outbox.js";
import { revising } from "./revising.js";
import { byTouch } from "./settings.js";
import { player } from "./videos.js";

/**
 * Hide, pause and mute both videos, or show them. A hide `counts` as a sign of distress unless a dialog has caused it.
 *
 * @param {boolean} hidden
 * @param {{ counts?: boolean }} [options]
 */
export function setHidden(hidden, { counts = true } = {}) {
  if (!current.assignment) return;
  player.hide(hidden, { counts });
  noteHidden(hidden);
  const words = say(byTouch.matches ? "hidden_by_touch" : "hidden");
  if (hidden) showPassing(words);
  else removePassing(words);
}

/** Hide the videos because a dialog opens. */
export const hideVideos = () => setHidden(true, { counts: false });

/** Remember for a reload whether both are hidden. @param {boolean} hidden */
function noteHidden(hidden) {
  const { assignment } = current;
  if (assignment && !revising.open) outbox.keep(assignment.study, assignment.id, { hidden });
}
