/** How the two videos were really watched: seconds played, seen through or not, loops, at which speed and size. */

import { SIDES } from "../workspace/dom.js";

/** A video counts as seen through when each of this many equal parts of it has been played. */
const PARTS = 32;
/** Longer jumps between two samples are seeks or sleeping tabs, not playing. */
const LONGEST_STEP_S = 0.6;

export class Viewing {
  #sides = new Map();
  #presentation;

  /** A fresh account of a pair, or one that goes on from an earlier report by side. */
  reset(earlier = {}) {
    for (const side of SIDES) {
      const { played_s: played = 0, seen_through: seen = false, loops = 0 } = earlier[side] ?? {};
      this.#sides.set(side, { played, seen, loops, parts: new Set(), at: null });
    }
    const { together_s: together = 0, singly_s: singly = 0, speeds = {}, sound_s: sound = 0 } = earlier.presentation ?? {};
    this.#presentation = { together, singly, speeds: { ...speeds }, sound };
  }

  seen(side) {
    return this.#sides.get(side)?.seen ?? false;
  }

  /** One look at a playing pair: `videos` by side, those that play, and how. Answers whether a side became seen. */
  sample(videos, playing, { rate, sound }) {
    let became = false;
    let longest = 0;
    for (const side of playing) {
      const account = this.#sides.get(side);
      const { currentTime: at, duration } = videos[side];
      const step = account.at === null ? 0 : at - account.at;
      if (step > 0 && step <= LONGEST_STEP_S * rate) {
        account.played += step / rate;
        longest = Math.max(longest, step / rate);
        if (sound === side) this.#presentation.sound += step / rate;
        became = this.#cover(account, account.at, at, duration) || became;
      }
      account.at = at;
    }
    if (longest > 0) this.#count(longest, playing.length, rate);
    return became;
  }

  /** A video reached its end. Answers whether it thereby became seen. */
  ended(side, video) {
    const account = this.#sides.get(side);
    account.loops += 1;
    const became = account.at !== null && this.#cover(account, account.at, video.duration, video.duration);
    account.at = null;
    return became;
  }

  /** The place moved without playing. */
  moved() {
    for (const account of this.#sides.values()) account.at = null;
  }

  #cover(account, from, to, duration) {
    const part = (time) => Math.min(PARTS - 1, Math.max(0, Math.floor((time / duration) * PARTS)));
    for (let index = part(from); index <= part(to); index += 1) account.parts.add(index);
    if (account.seen || account.parts.size < PARTS) return false;
    account.seen = true;
    return true;
  }

  #count(seconds, many, rate) {
    const { speeds } = this.#presentation;
    this.#presentation[many > 1 ? "together" : "singly"] += seconds;
    speeds[rate] = rounded((speeds[rate] ?? 0) + seconds);
  }

  /** The report for the API, with `videoOn(side)` naming each video. */
  report(videoOn, screens, videos) {
    const report = {};
    for (const side of SIDES) {
      const { played, seen, loops } = this.#sides.get(side);
      report[videoOn(side)] = { played_s: rounded(played), seen_through: seen, loops };
    }
    const { together, singly, speeds, sound } = this.#presentation;
    report.presentation = {
      together_s: rounded(together),
      singly_s: rounded(singly),
      sound_s: rounded(sound),
      speeds,
      box: [screens.left.clientWidth, screens.left.clientHeight],
      pixel_ratio: devicePixelRatio,
      native: Object.fromEntries(SIDES.map((side) => [videoOn(side), [videos[side].videoWidth, videos[side].videoHeight]])),
    };
    return report;
  }
}

const rounded = (seconds) => Math.round(seconds * 100) / 100;
