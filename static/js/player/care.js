/**
 * Measure a person's exposure: the seconds for which each video of a pair was visible, with and without its filter, and how
 * often the person hid both. The report (`care`) counts towards the daily limit. The use of the filter is also recorded.
 *
 * Each time a pair is put on a page, a new showing begins. Its counters start at 0 and only grow. Therefore nothing counts
 * twice, however often and in whatever order showings are reported. Seconds count on the day on which they pass.
 */

import { SIDES, bySide } from "../page/dom.js";
import { rounded } from "./viewing.js";

/** A longer gap between two samples means that the computer was asleep. */
const LONGEST_GAP_S = 1;
/** A person who has done nothing for this time is not looking. */
const AWAY_MS = 60_000;
/** Number of earlier showings of a pair that are reported again, because the server may not have received them. */
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
   * `idleMs()` returns for how long the person has done nothing. `today()` returns the date in their time zone, as YYYY-MM-DD.
   *
   * @param {() => number} idleMs
   * @param {() => string} today
   */
  constructor(idleMs, today) {
    this.#idleMs = idleMs;
    this.#today = today;
  }

  /**
   * Begin a new showing of a pair. `videoOn(side)` returns the key of each video. `care` is this browser's last report about an
   * earlier showing of the pair. `presentation` is the earlier presentation, whose figures continue.
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
   * Take one sample: `inSight` are the sides with a visible picture, `isFiltered(side)` says whether a side is filtered.
   *
   * @param {readonly Side[]} inSight
   * @param {(side: Side) => boolean} isFiltered
   */
  sample(inSight, isFiltered) {
    const now = performance.now();
    const passed = Math.min((now - this.#last) / 1000, LONGEST_GAP_S);
    this.#last = now;
    if (document.hidden || this.#idleMs() > AWAY_MS) return;
    for (const side of inSight) {
      this.#sides[side][isFiltered(side) ? "filtered" : "plain"] += passed;
      if (!isFiltered(side)) this.#countToday(side, passed);
    }
  }

  /** @param {Side} side @param {number} passed */
  #countToday(side, passed) {
    const today = this.#today();
    const seconds = this.#days.get(today) ?? bySide(() => 0);
    seconds[side] += passed;
    this.#days.set(today, seconds);
  }

  /** Return whether a side was ever visible without its filter. @param {Side} side */
  wasRevealed(side) {
    return this.#sides[side].plain > 0;
  }

  /** Count that the person hid both videos. */
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

  /** Return the seconds with and without the filter, for the record of the presentation. @param {VideoOn} videoOn */
  presentation(videoOn) {
    return {
      filtered_s: byVideo(videoOn, (side) => rounded(this.#sides[side].filtered)),
      unfiltered_s: byVideo(videoOn, (side) => rounded(this.#sides[side].before + this.#sides[side].plain)),
    };
  }
}
