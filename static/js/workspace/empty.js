/** The panel in place of a pair: why there is none, what to do, and when we look again. */

import { all, one } from "../page/dom.js";
import { spell } from "./spelling.js";
import { announce } from "../page/status.js";

const panel = one("[data-empty]");
const bench = one("[data-bench]");
const visitors = new Map();
let timer = 0;

/** `run(part)` each time the panel for `reason` is shown; `part` is its `[data-when]` element. */
export const onPanel = (reason, run) => visitors.set(reason, run);

/** Shows the reason in place of the pair; with `seconds`, counts down and then calls `again`. */
export function showEmpty(reason, { seconds = null, again = null, detail = "", answered = "", waiting = "" } = {}) {
  clearInterval(timer);
  const known = one(`[data-when="${reason}"]`, panel) ? reason : "refused";
  const isNew = panel.hidden || panel.dataset.reason !== reason;
  panel.dataset.reason = reason;
  for (const part of all("[data-when]", panel)) part.hidden = part.dataset.when !== known;
  fill("data-detail", detail);
  fill("data-answered-count", answered);
  fill("data-waiting", waiting);
  for (const part of all("[data-if-waiting]", panel)) part.hidden = !waiting;
  bench.hidden = true;
  panel.hidden = false;
  document.body.removeAttribute("data-assignment");
  if (seconds) countDown(seconds, again);
  const part = one(`[data-when="${known}"]`, panel);
  if (isNew) present(part, known);
  visitors.get(known)?.(part);
}

export function hideEmpty() {
  clearInterval(timer);
  panel.hidden = true;
  bench.hidden = false;
}

/** Which panel is in sight, or null. */
export const panelShown = () => (panel.hidden ? null : panel.dataset.reason);

/** Reads the heading out, and leads the keyboard to the way on where its place is gone. */
function present(part, reason) {
  panel.scrollIntoView({ block: "nearest" });
  if (reason === "loading") return;
  announce(one("h2", part).textContent);
  const adrift = document.activeElement === document.body || document.activeElement.closest("[data-bench], [data-empty]");
  if (adrift) one(".primary", part)?.focus({ preventScroll: true });
}

function fill(name, text) {
  for (const place of all(`[${name}]`, panel)) place.textContent = text;
}

/** By the monotonic clock, so that a clock that is set or a timer that sleeps only makes the wait end late. */
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
