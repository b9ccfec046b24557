/**
 * Measure how the two videos were watched: seconds played and watched, whether watched to the end, loops, speed and size. A
 * video counts as watched while it plays at 1× or slower and the person can see it.
 */

import { SIDES, bySide } from "../page/dom.js";

/**
 * @typedef {object} How way in which the videos play
 * @property {number} rate
 * @property {string} sound the side that is heard, or "off"
 * @property {boolean} fullScreen
 * @property {(side: Side) => boolean} isSeen whether the person can see a video
 */
/**
 * @typedef {object} Account of how one video was watched
 * @property {number} frame_s
 * @property {number} played
 * @property {number} watched
 * @property {boolean} seen whether it was watched to the end
 * @property {number} loops
 * @property {Set<number>} parts that were watched
 * @property {number | null} at position in the video at the last sample
 * @property {number} since seconds played since the last seek
 * @property {boolean} watching
 */

/** A video counts as watched to the end when each of this many equal parts has been watched, … */
const PARTS = 32;
/** … for this share of its length in total. Sampling loses a little at loops. The server uses the same share. */
const WATCHED_SHARE = 0.9;
/** A video that plays faster than this does not count as watched. */
export const FASTEST_WATCHED = 1;
/** A longer jump between two samples is a seek or a sleeping tab, not playing. */
const LONGEST_STEP_S = 0.6;
/** An end counts as a loop if at least this share of the video was played before it. */
const LOOP_SHARE = 0.5;

export class Viewing {
  /** @type {BySide<Account> | null} */
  #sides = null;
  #presentation = beginning();

  /**
   * Begin to measure a pair of clips, or continue from an earlier report by side.
   *
   * @param {BySide<Pick<Clip, "fps">>} clips
   * @param {EarlierViewing} [earlier]
   */
  reset(clips, earlier = {}) {
    this.#sides = bySide((side) => {
      const { played_s: played = 0, watched_s: watched = 0, seen_through: seen = false, loops = 0 } = earlier[side] ?? {};
      const frame_s = 1 / (clips[side].fps || 25);
      return { frame_s, played, watched, seen, loops, parts: new Set(), at: null, since: 0, watching: false };
    });
    this.#presentation = beginning(earlier.presentation);
  }

  /** @param {Side} side */
  #of(side) {
    if (!this.#sides) throw new Error("No pair is being watched.");
    return this.#sides[side];
  }

  /** @param {Side} side */
  seen(side) {
    return this.#sides?.[side].seen ?? false;
  }

  /**
   * Take one sample of a playing pair. `isSeen(side)` returns whether the person can see a video. Return whether a side has now
   * been watched to the end.
   *
   * @param {BySide<HTMLVideoElement>} videos
   * @param {Side[]} playing
   * @param {How} how
   */
  sample(videos, playing, { rate, sound, fullScreen, isSeen }) {
    let became = false;
    let longest = 0;
    for (const side of playing) {
      const account = this.#of(side);
      const { currentTime: at, duration } = videos[side];
      const before = account.at;
      const jumped = before === null;
      const played = !jumped && at > before && at - before <= LONGEST_STEP_S * rate ? at - before : 0;
      account.played += played / rate;
      account.since += played;
      longest = Math.max(longest, played / rate);
      if (sound === side) this.#presentation.sound_s += played / rate;
      const watching = rate <= FASTEST_WATCHED && isSeen(side);
      const goesOn = watching && account.watching && played > 0 && before !== null;
      const from = goesOn ? before : Math.floor(at / account.frame_s) * account.frame_s; // a person sees whole frames
      if (watching && (goesOn || jumped || played)) became = this.#watch(account, { from, to: at, duration, rate }) || became;
      Object.assign(account, { at, watching });
    }
    if (longest > 0) this.#count(longest, playing.length, rate, fullScreen);
    return became;
  }

  /**
   * Record that a video reached its end. Return whether it has now been watched to the end.
   *
   * @param {Side} side
   * @param {HTMLVideoElement} video
   * @param {Pick<How, "rate" | "isSeen">} how
   */
  ended(side, { duration }, { rate, isSeen }) {
    const account = this.#of(side);
    const rest = account.at === null ? Infinity : duration - account.at;
    const played = rest <= LONGEST_STEP_S * rate; // otherwise it ended while nobody saw it
    if (played && account.since + rest >= LOOP_SHARE * duration) account.loops += 1;
    const watched = played && account.at !== null && account.watching && rate <= FASTEST_WATCHED && isSeen(side);
    const became = watched && this.#watch(account, { from: account.at ?? 0, to: duration, duration, rate });
    Object.assign(account, { at: null, since: 0, watching: false });
    return became;
  }

  /** Record a seek. */
  moved() {
    for (const account of Object.values(this.#sides ?? {})) Object.assign(account, { at: null, since: 0, watching: false });
  }

  /** @param {Account} account @param {{ from: number, to: number, duration: number, rate: number }} span */
  #watch(account, { from, to, duration, rate }) {
    account.watched += (to - from) / rate;
    const part = (/** @type {number} */ time) => Math.min(PARTS - 1, Math.max(0, Math.floor((time / duration) * PARTS)));
    for (let index = part(from); index <= part(to); index += 1) account.parts.add(index);
    if (account.seen || account.parts.size < PARTS || account.watched < WATCHED_SHARE * duration) return false;
    account.seen = true;
    return true;
  }

  /** @param {number} seconds @param {number} many @param {number} rate @param {boolean} fullScreen */
  #count(seconds, many, rate, fullScreen) {
    const { speeds } = this.#presentation;
    this.#presentation[many > 1 ? "together_s" : "singly_s"] += seconds;
    if (fullScreen) this.#presentation.full_screen_s += seconds;
    speeds[rate] = (speeds[rate] ?? 0) + seconds;
  }

  /**
   * Return the report for the API. `videoOn(side)` returns the key of each video.
   *
   * @param {VideoOn} videoOn
   * @param {BySide<HTMLElement>} screens
   * @param {BySide<HTMLVideoElement>} videos
   * @returns {Api.Viewing & { presentation: Api.Presentation }}
   */
  report(videoOn, screens, videos) {
    /** @type {Api.Viewing} */
    const report = {};
    for (const side of SIDES) {
      const { played, watched, seen, loops } = this.#of(side);
      report[videoOn(side)] = { played_s: rounded(played), watched_s: rounded(watched), seen_through: seen, loops };
    }
    const { speeds, ...seconds } = this.#presentation;
    const presentation = {
      ...inHundredths(seconds),
      speeds: inHundredths(speeds),
      box: [screens.left.clientWidth, screens.left.clientHeight],
      pixel_ratio: devicePixelRatio,
      native: Object.fromEntries(SIDES.map((side) => [videoOn(side), [videos[side].videoWidth, videos[side].videoHeight]])),
    };
    return { ...report, presentation };
  }
}

/** Return the presentation so far, from an earlier report if there is one. @param {Api.Presentation} [earlier] */
function beginning({ together_s = 0, singly_s = 0, sound_s = 0, full_screen_s = 0, speeds = {} } = {}) {
  return { together_s, singly_s, sound_s, full_screen_s, speeds: { ...speeds } };
}

/** @param {number} seconds */
export const rounded = (seconds) => Math.round(seconds * 100) / 100;
/** @param {Record<string, number>} all */
const inHundredths = (all) => Object.fromEntries(Object.entries(all).map(([name, seconds]) => [name, rounded(seconds)]));
