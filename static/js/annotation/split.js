/**
 * Divide the height of the page between the videos and the questions. The person moves the line between them by pointer or by
 * key. The browser keeps the height, and the person can reset it. Heights are in percent of the window's height.
 */

import { one, onAction, say } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";

const NAME = `diptych:${document.body.dataset.person}:split`;
const LEAST = 15;
const STEP = 2;
const PAGE = 10;
/** Least height of the questions in pixels, if they scroll separately. */
const LEAST_ANSWERS_PX = 112;
/** Greatest height of the videos in percent, if the whole page scrolls. */
const MOST_ON_A_PAGE = 75;

const bench = one("[data-bench]");
const handle = one("[data-split]");
const reset = one('button[data-action="reset-split"]');
const screen = one('[data-screen="left"]');
const answers = one("form[data-answers]");
/** Whether the whole page scrolls, as in workspace.css. */
export const pageScrolls = matchMedia("(max-height: 36rem), (max-width: 60rem)");

/** The chosen height for each kind of page. @type {{ page?: number, panel?: number }} */
const chosen = read(NAME) ?? {};
/** Whether the videos must keep their size because a prompt is open. */
let isKept = false;

const heightNow = () => screen.getBoundingClientRect().height;
const kind = () => (pageScrolls.matches ? "page" : "panel");
const inPercent = (/** @type {number} */ px) => (px / innerHeight) * 100;

/** Keep the videos at their current height, or stop that. @param {boolean} kept */
export function keepScreens(kept) {
  isKept = kept;
  if (kept && chosen[kind()] === undefined) setHeight(heightNow());
  else paint();
}

/** @param {number | null} px null: the default height */
function setHeight(px) {
  bench.toggleAttribute("data-sized", px !== null);
  if (px === null) bench.style.removeProperty("--screen-height");
  else bench.style.setProperty("--screen-height", `${px}px`);
}

function paint() {
  if (bench.hidden) return; // nothing has a height yet; this is called again when the pair is shown
  const percent = chosen[kind()];
  reset.hidden = percent === undefined;
  if (percent !== undefined) {
    setHeight((Math.min(percent, most()) * innerHeight) / 100);
  } else if (!isKept) {
    setHeight(null);
  }
  describe();
}

/** Return the greatest height of the videos, in percent. */
function most() {
  if (pageScrolls.matches) return MOST_ON_A_PAGE;
  const others = [...bench.children].filter((part) => part !== answers);
  const taken = others.reduce((height, part) => height + part.getBoundingClientRect().height, -heightNow());
  return Math.max(LEAST, inPercent(bench.clientHeight - taken - LEAST_ANSWERS_PX));
}

function describe() {
  const now = Math.round(inPercent(heightNow()));
  handle.setAttribute("aria-valuenow", String(now));
  handle.setAttribute("aria-valuemin", String(Math.min(LEAST, now)));
  handle.setAttribute("aria-valuemax", String(Math.max(now, Math.round(most()))));
  handle.setAttribute("aria-valuetext", say("split", { n: now }));
}

/** @param {number} percent */
function choose(percent) {
  chosen[kind()] = Math.round(Math.min(most(), Math.max(LEAST, percent)) * 10) / 10;
  write(NAME, chosen);
  paint();
}

function resetHeight() {
  delete chosen[kind()];
  write(NAME, chosen);
  setHeight(null);
  paint();
}

/** @param {PointerEvent} down */
function drag(down) {
  if (down.button !== 0) return;
  down.preventDefault(); // the focus stays on the question
  handle.setPointerCapture(down.pointerId);
  const before = heightNow();
  const move = (/** @type {PointerEvent} */ event) => choose(inPercent(before + event.clientY - down.clientY));
  const stop = new AbortController();
  handle.addEventListener("pointermove", move, { signal: stop.signal });
  for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, () => stop.abort(), { signal: stop.signal });
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const now = inPercent(heightNow());
  /** @type {Record<string, number>} */
  const heights = {
    ArrowUp: now - STEP, ArrowLeft: now - STEP, ArrowDown: now + STEP, ArrowRight: now + STEP,
    PageUp: now - PAGE, PageDown: now + PAGE, Home: LEAST, End: most(),
  };
  if (event.key === "Enter") resetHeight();
  else if (event.key in heights) choose(heights[event.key]);
  else return;
  event.preventDefault();
}

export function bindSplit() {
  handle.addEventListener("pointerdown", drag);
  handle.addEventListener("keydown", press);
  handle.addEventListener("dblclick", resetHeight);
  onAction("reset-split", resetHeight);
  new ResizeObserver(paint).observe(bench);
  new ResizeObserver(describe).observe(screen);
}
