/** Plays a reported video, without sound. Its own controls, since the blur lies over a video's native ones too. */

const video = document.querySelector("[data-video]");
const play = document.querySelector("[data-play]");
const position = document.querySelector("[data-position]");

play.addEventListener("click", () => { if (video.paused) video.play(); else video.pause(); });
position.addEventListener("input", () => { video.currentTime = (video.duration * position.value) / position.max; });
video.addEventListener("timeupdate", () => { position.value = String((position.max * video.currentTime) / video.duration); });
for (const name of ["play", "pause", "ended"]) {
  video.addEventListener(name, () => {
    play.textContent = video.paused ? play.dataset.playWord : play.dataset.pauseWord;
  });
}
