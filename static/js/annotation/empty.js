/** The panel that is shown instead of a pair: why there is none, what to do, and when the page checks again. */

import { all, find, one } from "../page/dom.js";
import { spell } from "./spelling.js";
import { announce } from "../page/status.js";

/** The panel itself gets the focus, so that the next Space or letter operates none of its controls. */
export const panel = one("[data-empty]");
const workspace = one("[data-bench]");
let timer = 0;

/**
 * @typedef {object} Details
 * @property {number | null} [seconds] after which `again` is called
 * @property {() => unknown} [again]
 * @property {string} [detail]
 * @property {number | ""} [answered]
 * @property {number | ""} [waiting]
 */

/**
 * Show the reason instead of the pair. With `seconds`, count down and then call `again`.
 *
 * @param {string} reason
 * @param {Details} [details]
 */
export function showEmpty(reason, { seconds = null, again = () => {}, detail = "", answered = "", waiting = "" } = {}) {
  clearInterval(timer);
  const fitting = reason === "finished" && answered === 0 ? "nothing_yet" : reason;
  const known = find(`[data-when="${fitting}"]`, panel) ? fitting : "refused";
  const isNew = panel.hidden || panel.dataset.reason !== reason;
  panel.dataset.reason = reason;
  for (const part of all("[data-when]", panel)) part.hidden = part.dataset.when !== known;
  fill("data-detail", detail);
  fill("data-answered-count", answered === "" ? "" : answered.toLocaleString(document.documentElement.lang));
  fill("data-waiting", String(waiting));
  for (const part of all("[data-if-waiting]", panel)) part.hidden = !waiting;
  workspace.hidden = true;
  panel.hidden = false;
  document.body.removeAttribute("data-assignment");
  if (seconds) countDown(seconds, again);
  const part = one(`[data-when="${known}"]`, panel);
  if (isNew) present(part, known);
}

export function hideEmpty() {
  clearInterval(timer);
  panel.hidden = true;
  workspace.hidden = false;
}

/** Return the reason that is shown, or null. */
export const panelShown = () => (panel.hidden ? null : (panel.dataset.reason ?? null));

/**
 * Announce the heading. Move the focus to the panel if its element is gone. Enter then presses the panel's first button.
 *
 * @param {HTMLElement} part
 * @param {string} reason
 */
function present(part, reason) {
  panel.scrollIntoView({ block: "nearest" });
  if (reason === "loading") return;
  announce(one("h2", part).textContent);
  const isFocusLost = document.activeElement === document.body || document.activeElement?.closest("[data-bench], [data-empty]");
  if (isFocusLost) panel.focus({ preventScroll: true });
}

/** @param {string} name @param {string} text */
function fill(name, text) {
  for (const place of all(`[${name}]`, panel)) place.textContent = text;
}

/**
 * Count down with the monotonic clock. If the clock is changed or a timer sleeps, the wait only ends late.
 *
 * @param {number} seconds
 * @param {() => unknown} again
 */
function countDown(seconds, again) {
  const until = performance.now() + seconds * 1000;
  const paint = () => fill("data-seconds", spell((until - performance.now()) / 1000));
  paint();
  timer = setInterval(() => {
    if (performance.now() < until) return paint();
    clearInterval(timer);
    return again();
  }, 1000);
}
