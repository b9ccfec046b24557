/** Plays a reported video without sound. It has its own controls, since the blur would cover the native ones. */

import { given, one } from "../page/dom.js";

const video = one("video[data-video]");
const play = one("button[data-play]");
const position = one("input[data-position]");

play.addEventListener("click", () => { if (video.paused) video.play(); else video.pause(); });
const most = Number(position.max);
position.addEventListener("input", () => { video.currentTime = (video.duration * Number(position.value)) / most; });
video.addEventListener("timeupdate", () => { position.value = String((most * video.currentTime) / video.duration); });
for (const name of ["play", "pause", "ended"]) {
  video.addEventListener(name, () => {
    play.textContent = given(play, video.paused ? "playWord" : "pauseWord");
  });
}
