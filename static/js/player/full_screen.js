/** Full screen with both videos, the prompt, and whatever else the page shows there. */

import { one, onAction, say } from "../page/dom.js";

const stage = one("[data-full-screen]");
const button = one('button[data-action="full-screen"]');

export const isFullScreen = () => document.fullscreenElement === stage;

export function leaveFullScreen() {
  if (isFullScreen()) document.exitFullscreen().catch(() => {}); // the browser was faster
}

export function toggleFullScreen() {
  if (isFullScreen()) leaveFullScreen();
  else stage.requestFullscreen?.().catch(() => {});
}

export function bindFullScreen() {
  button.hidden = !document.fullscreenEnabled;
  onAction("full-screen", toggleFullScreen);
  document.addEventListener("fullscreenchange", () => {
    const entered = isFullScreen();
    button.setAttribute("aria-pressed", String(entered));
    button.title = say(entered ? "full_screen_leave" : "full_screen");
  });
}
