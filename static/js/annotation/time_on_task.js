/**
 * Show the person's own active time: today in this study, and on the current pair by part. The page begins with the server's sum of
 * today. Then its own clock adds to it, and the time of each draft is added once.
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
const counted = new Set();
let before_ms = Number(page.activeTodayMs ?? 0);
let day = today();

/**
 * Add time that is not in the server's sum yet: of waiting answers of an earlier visit, and of drafts that continue.
 *
 * @param {number} assignment
 * @param {Api.Timings} [timings]
 */
export function countEarlier(assignment, timings = {}) {
  if (counted.has(assignment)) return;
  counted.add(assignment);
  before_ms += timings.total_active ?? 0;
}

export function bindTimeOnTask() {
  document.addEventListener("click", () => requestAnimationFrame(paint));
  setInterval(paint, PAINT_MS);
  paint();
}

/** Update the figures on the page. */
export function paint() {
  if (today() !== day) beginNewDay();
  // Whole minutes, rounded as on the other pages: a figure that counts seconds would draw the eye.
  const time = spellMinutes(Math.round((before_ms + clock.total_ms) / 1000));
  write("[data-active-today]", say("active_today", { n: answeredToday(), time }));
  write("[data-active-today-time]", time);
  write("[data-answered-today-count]", String(answeredToday()));
  write("[data-active-pair]", spell((current.assignment ? clock.timings.total_active ?? 0 : 0) / 1000));
  for (const part of PARTS) write(`[data-active-part="${part}"]`, spell((clock.timings[part] ?? 0) / 1000));
}

/** Reset both figures at midnight: what the page has counted so far belongs to yesterday. */
function beginNewDay() {
  day = today();
  before_ms = -clock.total_ms;
  beginDay();
}

/** @param {string} selector @param {string} text */
function write(selector, text) {
  for (const place of all(selector)) if (place.textContent !== text) place.textContent = text;
}
