/**
 * A reminder to take time, where the study shows one (docs/decisions/033-reminders.md). It comes with the next pair after
 * many answers in a row that were faster than the videos or on one side. It names no answer, and nothing waits for it.
 */

import { given, one } from "../page/dom.js";
import { announce } from "../page/status.js";
import { form } from "./answer_form.js";
import { read, write } from "../page/local_settings.js";
import { cue, isCued } from "./presenting.js";

/**
 * So many pairs in a row are answered fast, or on one side, before a reminder comes. The count begins anew with each
 * reminder, so at most one pair in 20 has one.
 */
const RUN = 20;

const { body } = document;
const isShownInStudy = "reminders" in body.dataset;
const name = `diptych:${given(body, "person")}:reminder:${given(body, "study")}`;
const line = one("[data-reminder]");

/**
 * @typedef {object} Pace what is kept in the browser between two reminders
 * @property {number} fast how many in a row were faster than the longer video
 * @property {number} oneSided how many in a row had both overall answers on `side`
 * @property {string} side
 * @property {{ assignment: number, why: "fast" | "side" } | null} shown the last reminder, with its pair
 */
/** @type {Pace} */
const BEGINNING = { fast: 0, oneSided: 0, side: "", shown: null };

/** @returns {Pace} */
const pace = () => ({ ...BEGINNING, ...read(name) });

/** When the pair on the page was shown. */
let shownAt = 0;

/** A pair was answered. @param {Api.Assignment} assignment @param {Api.Draft} answer */
export function noteAnswer(assignment, answer) {
  if (!isShownInStudy || assignment.identical) return; // of two videos that are the same file, either side is right
  const before = pace();
  const side = sideOf(answer);
  write(name, {
    ...before,
    fast: isFast(assignment, answer) ? before.fast + 1 : 0,
    oneSided: side && side === before.side ? before.oneSided + 1 : Number(side !== ""),
    side,
  });
}

/** Whether the pair was answered in less time than its longer video takes, at the fastest speed that was chosen. */
function isFast(/** @type {Api.Assignment} */ { video_0, video_1 }, /** @type {Api.Draft} */ { timings_ms, viewing }) {
  const seconds = Math.max(performance.now() - shownAt, timings_ms?.total_active ?? 0) / 1000;
  const fastest = Math.max(1, ...Object.keys(viewing?.presentation?.speeds ?? {}).map(Number));
  return seconds < Math.max(video_0.duration_s, video_1.duration_s) / fastest;
}

/** The side of both overall answers; an empty text where they differ or are a tie. @param {Api.Draft} answer */
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
  const isDue = fast >= RUN || oneSided >= RUN;
  if (!isDue && shown?.assignment !== id) return;
  const why = isDue ? (fast >= RUN ? "fast" : "side") : shown?.why;
  if (isDue) write(name, { ...BEGINNING, shown: { assignment: id, why } });
  if (!isCued(`reminder_${why}`)) cue(`reminder_${why}`);
  line.hidden = false;
  announce(line.textContent);
}

export function hideReminder() {
  line.hidden = true;
}
