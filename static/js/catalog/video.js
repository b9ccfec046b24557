/** One video with its content filter. A button reveals it. Escape, another button, or leaving the page filters it. */

import { given, one } from "../page/dom.js";
import { onDialogOpen } from "../page/dialogs.js";
import { isEscapeSpent } from "../page/escape.js";

const screen = one("[data-screen]");
const video = one("video[data-video]", screen);
const strip = one("[data-veil-strip]", screen);
const reveal = one("button[data-action=reveal-one]");
const again = one("button[data-action=veil-one]");
const veil = given(one("[data-single]"), "veil");

/** @param {boolean} revealed */
function show(revealed) {
  if (!revealed) video.pause();
  screen.dataset.veiled = revealed ? "none" : veil;
  video.controls = revealed; // they cannot be read under a filter
  strip.hidden = revealed;
  again.hidden = !revealed;
}

/** Focuses the screen, not a button: otherwise the next press of Space could reveal the video by accident. */
const turn = (/** @type {boolean} */ revealed) => { show(revealed); screen.focus({ preventScroll: true }); };
reveal.addEventListener("click", () => turn(true));
again.addEventListener("click", () => turn(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isEscapeSpent(event) && strip.hidden) turn(false);
});
onDialogOpen(() => video.pause());
addEventListener("pagehide", () => show(false)); // otherwise going back would show it
