/** Both videos with their transport on the full screen. */

import { one, onAction, say } from "../page/dom.js";

const section = one("[data-player]");
const button = one('button[data-action="full-screen"]');

export const isFullScreen = () => document.fullscreenElement === section;

export function leaveFullScreen() {
  if (isFullScreen()) document.exitFullscreen().catch(() => {}); // the browser was faster
}

export function bindFullScreen() {
  button.hidden = !document.fullscreenEnabled;
  onAction("full-screen", () => {
    if (isFullScreen()) leaveFullScreen();
    else section.requestFullscreen().catch(() => {});
  });
  document.addEventListener("fullscreenchange", () => {
    const entered = isFullScreen();
    button.setAttribute("aria-pressed", String(entered));
    button.title = say(entered ? "full_screen_leave" : "full_screen");
  });
}
