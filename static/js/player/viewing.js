/** How the two videos were really watched: seconds played, seen through or not, loops, at which speed and size. */

import { SIDES } from "../page/dom.js";

/** A video counts as seen through when each of this many equal parts of it has been played. */
const PARTS = 32;
/** Longer jumps between two samples are seeks or sleeping tabs, not playing. */
const LONGEST_STEP_S = 0.6;
/** A loop is an end that was reached by playing at least this part of the video before it. */
const LOOP_SHARE = 0.5;

export class Viewing {
  #sides = new Map();
  #presentation;

  /** A fresh account of a pair of clips, or one that goes on from an earlier report by side. */
  reset(clips, earlier = {}) {
    for (const side of SIDES) {
      const { played_s: played = 0, seen_through: seen = false, loops = 0 } = earlier[side] ?? {};
      const frame_s = 1 / (clips[side].fps || 25);
      this.#sides.set(side, { frame_s, played, seen, loops, parts: new Set(), at: null, since: 0 });
    }
    const { together_s = 0, singly_s = 0, sound_s = 0, full_screen_s = 0, speeds = {} } = earlier.presentation ?? {};
    this.#presentation = { together_s, singly_s, sound_s, full_screen_s, speeds: { ...speeds } };
  }

  seen(side) {
    return this.#sides.get(side)?.seen ?? false;
  }

  /** One look at a playing pair: `videos` by side, those that play, and how. Answers whether a side became seen. */
  sample(videos, playing, { rate, sound, fullScreen }) {
    let became = false;
    let longest = 0;
    for (const side of playing) {
      const account = this.#sides.get(side);
      const { currentTime: at, duration } = videos[side];
      const jumped = account.at === null;
      const from = jumped ? Math.floor(at / account.frame_s) * account.frame_s : account.at; // a frame is seen whole
      const played = !jumped && at > from && at - from <= LONGEST_STEP_S * rate ? at - from : 0;
      account.played += played / rate;
      account.since += played;
      longest = Math.max(longest, played / rate);
      if (sound === side) this.#presentation.sound_s += played / rate;
      if (jumped || played) became = this.#cover(account, from, at, duration) || became;
      account.at = at;
    }
    if (longest > 0) this.#count(longest, playing.length, rate, fullScreen);
    return became;
  }

  /** A video reached its end, at a speed. Answers whether it thereby became seen. */
  ended(side, { duration }, rate) {
    const account = this.#sides.get(side);
    const rest = account.at === null ? Infinity : duration - account.at;
    const played = rest <= LONGEST_STEP_S * rate; // else it ended while nobody saw it
    if (played && account.since + rest >= LOOP_SHARE * duration) account.loops += 1;
    const became = played && this.#cover(account, account.at, duration, duration);
    Object.assign(account, { at: null, since: 0 });
    return became;
  }

  /** The place moved without playing. */
  moved() {
    for (const account of this.#sides.values()) Object.assign(account, { at: null, since: 0 });
  }

  #cover(account, from, to, duration) {
    const part = (time) => Math.min(PARTS - 1, Math.max(0, Math.floor((time / duration) * PARTS)));
    for (let index = part(from); index <= part(to); index += 1) account.parts.add(index);
    if (account.seen || account.parts.size < PARTS) return false;
    account.seen = true;
    return true;
  }

  #count(seconds, many, rate, fullScreen) {
    const { speeds } = this.#presentation;
    this.#presentation[many > 1 ? "together_s" : "singly_s"] += seconds;
    if (fullScreen) this.#presentation.full_screen_s += seconds;
    speeds[rate] = (speeds[rate] ?? 0) + seconds;
  }

  /** The report for the API, with `videoOn(side)` naming each video. */
  report(videoOn, screens, videos) {
    const report = {};
    for (const side of SIDES) {
      const { played, seen, loops } = this.#sides.get(side);
      report[videoOn(side)] = { played_s: rounded(played), seen_through: seen, loops };
    }
    const { speeds, ...seconds } = this.#presentation;
    report.presentation = {
      ...inHundredths(seconds),
      speeds: inHundredths(speeds),
      box: [screens.left.clientWidth, screens.left.clientHeight],
      pixel_ratio: devicePixelRatio,
      native: Object.fromEntries(SIDES.map((side) => [videoOn(side), [videos[side].videoWidth, videos[side].videoHeight]])),
    };
    return report;
  }
}

export const rounded = (seconds) => Math.round(seconds * 100) / 100;
const inHundredths = (all) => Object.fromEntries(Object.entries(all).map(([name, seconds]) => [name, rounded(seconds)]));
