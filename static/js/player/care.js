/**
 * What a person was exposed to: seconds that each video of a pair was in sight, filtered and not, and how often they hid
 * both. It bounds their day (`care`); of the filter's use, what was presented is recorded too.
 */

import { SIDES } from "../page/dom.js";
import { rounded } from "./viewing.js";

/** Longer gaps between two looks are sleeping computers. */
const LONGEST_GAP_S = 1;
/** Who has done nothing for so long is not looking. */
const AWAY_MS = 60_000;

const byVideo = (videoOn, read) => Object.fromEntries(SIDES.map((side) => [videoOn(side), read(side)]));

export class Care {
  #sides = new Map();
  #hidden = 0;
  #last = performance.now();
  #idleMs;

  /** `idleMs()`: how long the person has done nothing. */
  constructor(idleMs) {
    this.#idleMs = idleMs;
  }

  /** A fresh account of a pair, or one that goes on from what was reported before; `videoOn(side)` names each video. */
  reset(videoOn, care, presentation) {
    this.#hidden = care?.hidden ?? 0;
    for (const side of SIDES) {
      const video = videoOn(side);
      this.#sides.set(side, { plain: care?.revealed_s?.[video] ?? 0, filtered: presentation?.filtered_s?.[video] ?? 0 });
    }
  }

  /** One look at what is in sight: the sides with a picture, and those of them that are veiled. */
  sample(inSight, isVeiled) {
    const now = performance.now();
    const passed = Math.min((now - this.#last) / 1000, LONGEST_GAP_S);
    this.#last = now;
    if (document.hidden || this.#idleMs() > AWAY_MS) return;
    for (const side of inSight) this.#sides.get(side)[isVeiled(side) ? "filtered" : "plain"] += passed;
  }

  /** Whether a side was ever in sight without its filter. */
  wasRevealed(side) {
    return this.#sides.get(side)?.plain > 0;
  }

  /** The person hid both. */
  hid() {
    this.#hidden += 1;
  }

  report(videoOn) {
    return { revealed_s: byVideo(videoOn, (side) => rounded(this.#sides.get(side).plain)), hidden: this.#hidden };
  }

  /** How long the filter was on, for what was presented. */
  presentation(videoOn) {
    return {
      filtered_s: byVideo(videoOn, (side) => rounded(this.#sides.get(side).filtered)),
      unfiltered_s: byVideo(videoOn, (side) => rounded(this.#sides.get(side).plain)),
    };
  }
}
