/**
 * What one press of Escape is for. It closes the open dialog or menu, or leaves full screen. Only a press that does none
 * of these may hide the videos.
 */

import { anyOpen } from "./dialogs.js";

/**
 * When a dialog or full screen was last closed. Some browsers do that before they pass the key on to the page, and the
 * key's own time is then the earlier one.
 */
let closedAt = -Infinity;
const closed = () => { closedAt = performance.now(); };

document.addEventListener("cancel", closed, { capture: true });
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) closed(); });

/**
 * Whether a press of Escape is already spent on something else. It leaves full screen if the browser has not.
 *
 * @param {KeyboardEvent} event
 */
export function isEscapeSpent(event) {
  if (event.repeat || event.isComposing || event.defaultPrevented || anyOpen()) return true;
  if (document.fullscreenElement) {
    document.exitFullscreen().catch(() => {}); // the browser was faster
    return true;
  }
  return event.timeStamp <= closedAt;
}
