/** Both videos with their transport on the full screen. Who leaves it by Escape, or by any way but ours, hides both. */

import { one, onAction, say } from "../page/dom.js";

const section = one("[data-player]");
const button = one('button[data-action="full-screen"]');
let leaving = false;

export const isFullScreen = () => document.fullscreenElement === section;

/** Leaves full screen because we want to. */
export function leaveFullScreen() {
  if (!isFullScreen()) return;
  leaving = true;
  document.exitFullscreen();
}

/** `onEscape()` when full screen was left, and not by its button. */
export function bindFullScreen(onEscape) {
  button.hidden = !document.fullscreenEnabled;
  onAction("full-screen", () => {
    if (isFullScreen()) leaveFullScreen();
    else section.requestFullscreen().catch(() => {});
  });
  document.addEventListener("fullscreenchange", () => {
    const entered = isFullScreen();
    button.setAttribute("aria-pressed", String(entered));
    button.title = say(entered ? "full_screen_leave" : "full_screen");
    if (!entered && !leaving) onEscape();
    leaving = false;
  });
}
