/** The panel in place of a pair: why there is none, what to do, and when we look again. */

import { all, find, one } from "../page/dom.js";
import { spell } from "./spelling.js";
import { announce } from "../page/status.js";

/** It takes the focus, so that the next Space or letter operates nothing of it. */
export const panel = one("[data-empty]");
const workbench = one("[data-bench]");
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
 * Shows the reason in place of the pair; with `seconds`, counts down and then calls `again`.
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
  workbench.hidden = true;
  panel.hidden = false;
  document.body.removeAttribute("data-assignment");
  if (seconds) countDown(seconds, again);
  const part = one(`[data-when="${known}"]`, panel);
  if (isNew) present(part, known);
}

export function hideEmpty() {
  clearInterval(timer);
  panel.hidden = true;
  workbench.hidden = false;
}

/** Which panel is in sight, or null. */
export const panelShown = () => (panel.hidden ? null : (panel.dataset.reason ?? null));

/**
 * Reads the heading out, and moves the focus to the panel where its place is gone. Enter then does what the panel offers first.
 *
 * @param {HTMLElement} part
 * @param {string} reason
 */
function present(part, reason) {
  panel.scrollIntoView({ block: "nearest" });
  if (reason === "loading") return;
  announce(one("h2", part).textContent);
  const adrift = document.activeElement === document.body || document.activeElement?.closest("[data-bench], [data-empty]");
  if (adrift) panel.focus({ preventScroll: true });
}

/** @param {string} name @param {string} text */
function fill(name, text) {
  for (const place of all(`[${name}]`, panel)) place.textContent = text;
}

/**
 * By the monotonic clock, so that a clock that is set or a timer that sleeps only makes the wait end late.
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
