/**
 * Show a reminder to take time, if the study has reminders (docs/decisions/033-reminders.md). It is shown with the next pair after
 * many answers in a row that were faster than the videos or on one side. It names no answer and blocks nothing.
 */

import { given, one } from "../page/dom.js";
import { announce } from "../page/status.js";
import { form } from "./answer_form.js";
import { read, write } from "../page/local_settings.js";
import { cue, isCued } from "./presentation.js";

/**
 * Number of pairs in a row, answered fast or on one side, before a reminder. Each reminder resets the count, so at most one pair
 * in 20 has one.
 */
const IN_A_ROW = 20;

const { body } = document;
const isShownInStudy = "reminders" in body.dataset;
const name = `diptych:${given(body, "person")}:reminder:${given(body, "study")}`;
const line = one("[data-reminder]");

/**
 * @typedef {object} Pace counts since the last reminder, kept in the browser
 * @property {number} fast number of pairs in a row that were answered faster than the longer video
 * @property {number} oneSided number of pairs in a row with both overall answers on `side`
 * @property {string} side
 * @property {{ assignment: number, why: "fast" | "side" } | null} shown the last reminder, with its pair
 */
/** @type {Pace} */
const BEGINNING = { fast: 0, oneSided: 0, side: "", shown: null };

/** @returns {Pace} */
const pace = () => ({ ...BEGINNING, ...read(name) });

/** Time at which the current pair was shown. */
let shownAt = 0;

/** Count an answered pair. @param {Api.Assignment} assignment @param {Api.Draft} answer */
export function noteAnswer(assignment, answer) {
  if (!isShownInStudy || assignment.identical) return; // both videos are the same file, so either side is right
  const before = pace();
  const side = sideOf(answer);
  write(name, {
    ...before,
    fast: isFast(assignment, answer) ? before.fast + 1 : 0,
    oneSided: side && side === before.side ? before.oneSided + 1 : Number(side !== ""),
    side,
  });
}

/** Return whether the pair was answered in less time than its longer video takes at the fastest speed used. */
function isFast(/** @type {Api.Assignment} */ { video_0, video_1 }, /** @type {Api.Draft} */ { timings_ms, viewing }) {
  const seconds = Math.max(performance.now() - shownAt, timings_ms?.total_active ?? 0) / 1000;
  const fastest = Math.max(1, ...Object.keys(viewing?.presentation?.speeds ?? {}).map(Number));
  return seconds < Math.max(video_0.duration_s, video_1.duration_s) / fastest;
}

/** Return the side of both overall answers; an empty text if they differ or are a tie. @param {Api.Draft} answer */
function sideOf({ helpfulness, harmlessness }) {
  const [helpful, harmless] = [helpfulness?.overall, harmlessness?.overall];
  if (!helpful || helpful === "tie" || helpful !== harmless) return "";
  return helpful === form.videoOn("left") ? "left" : "right";
}

/** A pair is on the page: with a reminder if one is due, or if the page was left while this pair had one. */
export function showReminder(/** @type {Api.Assignment} */ { id }) {
  shownAt = performance.now();
  hideReminder();
  if (!isShownInStudy) return;
  const { fast, oneSided, shown } = pace();
  const isDue = fast >= IN_A_ROW || oneSided >= IN_A_ROW;
  if (!isDue && shown?.assignment !== id) return;
  const why = isDue ? (fast >= IN_A_ROW ? "fast" : "side") : shown?.why;
  if (isDue) write(name, { ...BEGINNING, shown: { assignment: id, why } });
  if (!isCued(`reminder_${why}`)) cue(`reminder_${why}`);
  line.hidden = false;
  announce(line.textContent);
}

export function hideReminder() {
  line.hidden = true;
}
