/** Puts another video element in the place of one that cannot go on, without a moment in which neither shows. */

import { whenEither } from "../page/signals.js";

/**
 * Loads `address` at `place` (seconds) behind `old`. With its picture there, it lies over the old one, which goes as soon
 * as the new one is painted. `onPicture(fresh)` then; `onError()` if it comes to nothing; `signal` ends it.
 *
 * @param {HTMLVideoElement} old
 * @param {string} address
 * @param {number} place
 * @param {{ signal: AbortSignal, onPicture: (fresh: HTMLVideoElement) => void, onError: () => void }} options
 */
export function standIn(old, address, place, { signal, onPicture, onError }) {
  const fresh = /** @type {HTMLVideoElement} */ (old.cloneNode());
  fresh.removeAttribute("poster");
  fresh.removeAttribute("data-active");
  fresh.src = address;
  fresh.currentTime = place;
  old.after(fresh);
  const settled = new AbortController();
  const until = whenEither(signal, settled.signal);
  signal.addEventListener("abort", () => { if (!settled.signal.aborted) release(fresh); });

  const look = () => {
    if (fresh.seeking || fresh.readyState < 2) return;
    settled.abort();
    fresh.toggleAttribute("data-active", true);
    old.removeAttribute("data-active");
    old.toggleAttribute("data-leaving", true);
    onPicture(fresh);
    requestAnimationFrame(() => requestAnimationFrame(() => release(old)));
  };
  for (const name of ["loadeddata", "seeked", "canplay"]) fresh.addEventListener(name, look, { signal: until });
  fresh.addEventListener("error", () => { settled.abort(); release(fresh); onError(); }, { signal: until });
}

/** @param {HTMLVideoElement} video */
function release(video) {
  video.removeAttribute("src");
  video.load();
  video.remove();
}
