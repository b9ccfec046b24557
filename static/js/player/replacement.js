/** Replace a video element that failed, without a moment in which no picture is shown. */

import { whenEither } from "../page/signals.js";

/**
 * Load `address` at `position` (seconds) in a new element behind `old`. When it has a picture, show it above the old element,
 * call `onPicture(fresh)`, and remove the old element after the new one has been painted. Call `onError()` if loading fails.
 * `signal` stops it.
 *
 * @param {HTMLVideoElement} old
 * @param {string} address
 * @param {number} position
 * @param {{ signal: AbortSignal, onPicture: (fresh: HTMLVideoElement) => void, onError: () => void }} options
 */
export function replaceVideo(old, address, position, { signal, onPicture, onError }) {
  const fresh = /** @type {HTMLVideoElement} */ (old.cloneNode());
  fresh.removeAttribute("poster");
  fresh.removeAttribute("data-active");
  fresh.src = address;
  fresh.currentTime = position;
  old.after(fresh);
  const finished = new AbortController();
  const until = whenEither(signal, finished.signal);
  signal.addEventListener("abort", () => { if (!finished.signal.aborted) release(fresh); });

  const look = () => {
    if (fresh.seeking || fresh.readyState < 2) return;
    finished.abort();
    fresh.toggleAttribute("data-active", true);
    old.removeAttribute("data-active");
    old.toggleAttribute("data-leaving", true);
    onPicture(fresh);
    requestAnimationFrame(() => requestAnimationFrame(() => release(old)));
  };
  for (const name of ["loadeddata", "seeked", "canplay"]) fresh.addEventListener(name, look, { signal: until });
  fresh.addEventListener("error", () => { finished.abort(); release(fresh); onError(); }, { signal: until });
}

/** @param {HTMLVideoElement} video */
function release(video) {
  video.removeAttribute("src");
  video.load();
  video.remove();
}
