/** One video under its filter: revealed by a press, veiled again by another, by Escape, and whenever the page is left. */

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
  video.controls = revealed; // under a filter they would be unreadable
  strip.hidden = revealed;
  again.hidden = !revealed;
}

/** The focus is never on a button that the page has put there: the next Space would reveal the video by a slip. */
const turn = (/** @type {boolean} */ revealed) => { show(revealed); screen.focus({ preventScroll: true }); };
reveal.addEventListener("click", () => turn(true));
again.addEventListener("click", () => turn(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isEscapeSpent(event) && strip.hidden) turn(false);
});
onDialogOpen(() => video.pause());
addEventListener("pagehide", () => show(false)); // else going back would show it
