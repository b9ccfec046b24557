/** The panel in place of a pair: why there is none, and when we look again. */

import { all, one } from "./dom.js";

const panel = one("[data-empty]");
const bench = one("[data-bench]");
let timer = 0;

/** Shows the reason; with `seconds`, counts down and then calls `again`. */
export function showEmpty(reason, { seconds = null, again = null, detail = "", answered = "" } = {}) {
  clearInterval(timer);
  const known = one(`[data-when="${reason}"]`, panel) ? reason : "refused";
  panel.dataset.reason = reason;
  for (const part of all("[data-when]", panel)) part.hidden = part.dataset.when !== known;
  for (const place of all("[data-detail]", panel)) place.textContent = detail;
  for (const place of all("[data-answered-count]", panel)) place.textContent = answered;
  bench.hidden = true;
  panel.hidden = false;
  document.body.removeAttribute("data-assignment");
  if (seconds) countDown(seconds, again);
}

export function hideEmpty() {
  clearInterval(timer);
  panel.hidden = true;
  bench.hidden = false;
}

function countDown(seconds, again) {
  let left = seconds;
  const paint = () => { for (const place of all("[data-seconds]", panel)) place.textContent = left; };
  paint();
  timer = setInterval(() => {
    left -= 1;
    if (left > 0) return paint();
    clearInterval(timer);
    return again();
  }, 1000);
}
