/**
 * The person's own active time: of today in this study, and of the current pair by part. What the server has of today
 * comes with the page; from then on the page's own clock adds to it, and what drafts bring along is added once.
 */

import { all, say } from "../page/dom.js";
import { answeredToday, beginDay } from "./answered.js";
import { clock } from "./clock.js";
import { current } from "./current_pair.js";
import { today } from "./server_time.js";
import { spell, spellMinutes } from "./spelling.js";

const PAINT_MS = 5000;
const PARTS = ["prompt", "helpfulness_stage1", "helpfulness_stage2", "harmlessness_stage1", "harmlessness_stage2"];
const page = document.body.dataset;
/** @type {Set<number>} */
const met = new Set();
let before_ms = Number(page.activeTodayMs ?? 0);
let day = today();

/**
 * Adds what is not in the server's sum yet: answers of an earlier visit that wait, and drafts that go on.
 *
 * @param {number} assignment
 * @param {Api.Timings} [timings]
 */
export function countEarlier(assignment, timings = {}) {
  if (met.has(assignment)) return;
  met.add(assignment);
  before_ms += timings.total_active ?? 0;
}

export function bindTimeOnTask() {
  document.addEventListener("click", () => requestAnimationFrame(paint));
  setInterval(paint, PAINT_MS);
  paint();
}

/** Brings the figures on the page up to date. */
export function paint() {
  if (today() !== day) beginNewDay();
  // Whole minutes: a figure that counts seconds would draw the eye.
  const time = spellMinutes(Math.floor((before_ms + clock.total_ms) / 60_000) * 60);
  write("[data-active-today]", say("active_today", { n: answeredToday(), time }));
  write("[data-active-today-time]", time);
  write("[data-answered-today-count]", String(answeredToday()));
  write("[data-active-pair]", spell((current.assignment ? clock.timings.total_active ?? 0 : 0) / 1000));
  for (const part of PARTS) write(`[data-active-part="${part}"]`, spell((clock.timings[part] ?? 0) / 1000));
}

/** Both figures begin anew while the page is open: what it has counted so far was yesterday. */
function beginNewDay() {
  day = today();
  before_ms = -clock.total_ms;
  beginDay();
}

/** @param {string} selector @param {string} text */
function write(selector, text) {
  for (const place of all(selector)) if (place.textContent !== text) place.textContent = text;
}
