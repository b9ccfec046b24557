/**
 * Decide what one press of Escape does. It closes the open dialog or menu, or leaves full screen. Only a press that does
 * none of these may hide the videos.
 */

import { anyOpen } from "./dialogs.js";

/**
 * Time at which a dialog or full screen was last closed. Some browsers close it before they pass the key to the page. The
 * timestamp of the key event is then earlier than this time.
 */
let closedAt = -Infinity;
const closed = () => { closedAt = performance.now(); };

document.addEventListener("cancel", closed, { capture: true });
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) closed(); });

/**
 * Return whether this press of Escape is already used for something else. Leave full screen if the browser has not done it.
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
