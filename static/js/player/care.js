/**
 * What a person was exposed to: seconds that each video of a pair was in sight, filtered and not, and how often they hid
 * both. It bounds their day (`care`); of the filter's use, what was presented is recorded too.
 *
 * Each time that a pair is put on a page is a showing of its own, whose counters start at 0 and only grow: however often
 * and in whatever order they are reported, nothing counts twice. Seconds are counted on the day on which they pass.
 */

import { SIDES, bySide } from "../page/dom.js";
import { rounded } from "./viewing.js";

/** Longer gaps between two looks are sleeping computers. */
const LONGEST_GAP_S = 1;
/** Who has done nothing for so long is not looking. */
const AWAY_MS = 60_000;
/** Of earlier showings of a pair, the latest are reported again: the server may not have heard of them. */
const MOST_EARLIER = 20;

/** @param {VideoOn} videoOn @param {(side: Side) => number} read @returns {Api.Revealed} */
const byVideo = (videoOn, read) => Object.fromEntries(SIDES.map((side) => [videoOn(side), read(side)]));

const noSeconds = () => ({ plain: 0, before: 0, filtered: 0 });

export class Care {
  #sides = bySide(noSeconds);
  /** @type {Map<string, BySide<number>>} */
  #days = new Map();
  #showing = "";
  /** @type {Api.Showing[]} */
  #earlier = [];
  #hidden = 0;
  #last = performance.now();
  #idleMs;
  #today;

  /**
   * `idleMs()`: how long the person has done nothing. `today()`: the date where they are, as YYYY-MM-DD.
   *
   * @param {() => number} idleMs
   * @param {() => string} today
   */
  constructor(idleMs, today) {
    this.#idleMs = idleMs;
    this.#today = today;
  }

  /**
   * A new showing of a pair; `videoOn(side)` names each video. `care`: the last report of this browser about an earlier
   * showing of it. `presentation`: what was presented before, which goes on.
   *
   * @param {VideoOn} videoOn
   * @param {Api.Care} [care]
   * @param {Api.Presentation} [presentation]
   */
  reset(videoOn, care, presentation) {
    this.#showing = Math.random().toString(36).slice(2) + Date.now().toString(36);
    this.#earlier = [];
    if (care) {
      const { earlier = [], ...last } = care;
      this.#earlier = [...earlier, last].slice(-MOST_EARLIER);
    }
    this.#hidden = 0;
    this.#days.clear();
    this.#sides = bySide((side) => {
      const video = videoOn(side);
      return { plain: 0, before: presentation?.unfiltered_s?.[video] ?? 0, filtered: presentation?.filtered_s?.[video] ?? 0 };
    });
  }

  /**
   * One look at what is in sight: the sides with a picture, and those of them that are veiled.
   *
   * @param {readonly Side[]} inSight
   * @param {(side: Side) => boolean} isVeiled
   */
  sample(inSight, isVeiled) {
    const now = performance.now();
    const passed = Math.min((now - this.#last) / 1000, LONGEST_GAP_S);
    this.#last = now;
    if (document.hidden || this.#idleMs() > AWAY_MS) return;
    for (const side of inSight) {
      this.#sides[side][isVeiled(side) ? "filtered" : "plain"] += passed;
      if (!isVeiled(side)) this.#countToday(side, passed);
    }
  }

  /** @param {Side} side @param {number} passed */
  #countToday(side, passed) {
    const today = this.#today();
    const seconds = this.#days.get(today) ?? bySide(() => 0);
    seconds[side] += passed;
    this.#days.set(today, seconds);
  }

  /** Whether a side was ever in sight without its filter. @param {Side} side */
  wasRevealed(side) {
    return this.#sides[side].plain > 0;
  }

  /** The person hid both. */
  hid() {
    this.#hidden += 1;
  }

  /** @param {VideoOn} videoOn @returns {Api.Care} */
  report(videoOn) {
    /** @type {[string, Api.Revealed][]} */
    const byDay = [...this.#days].map(([day, seconds]) => [day, byVideo(videoOn, (side) => rounded(seconds[side]))]);
    return {
      showing: this.#showing,
      revealed_s: byVideo(videoOn, (side) => rounded(this.#sides[side].plain)),
      by_day: Object.fromEntries(byDay),
      hidden: this.#hidden,
      ...(this.#earlier.length ? { earlier: this.#earlier } : {}),
    };
  }

  /** How long the filter was on, for what was presented. @param {VideoOn} videoOn */
  presentation(videoOn) {
    return {
      filtered_s: byVideo(videoOn, (side) => rounded(this.#sides[side].filtered)),
      unfiltered_s: byVideo(videoOn, (side) => rounded(this.#sides[side].before + this.#sides[side].plain)),
    };
  }
}
