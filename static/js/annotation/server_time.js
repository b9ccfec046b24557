/**
 * The server's clock, by the Date of its answers and our monotonic clock: a lease ends when the server says so, whatever
 * this computer believes the time to be, also when somebody sets it meanwhile.
 */

import { onOutcome } from "./api.js";
import { say } from "../page/dom.js";
import { spell } from "./spelling.js";
import { clear, standingWord } from "../page/status.js";

const WRONG_MS = 5 * 60_000;

let offset = Date.now() - performance.now();

/** Milliseconds since 1970 by the server's clock, to a second or so. */
export const serverNow = () => offset + performance.now();

/** @type {Intl.DateTimeFormatOptions} */
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };

/** @param {string} timeZone */
function daysIn(timeZone) {
  try {
    return new Intl.DateTimeFormat("sv-SE", { ...DAY, timeZone });
  } catch {
    return new Intl.DateTimeFormat("sv-SE", { ...DAY, timeZone: "UTC" }); // a zone that this browser does not know
  }
}

const days = daysIn(document.body.dataset.timeZone || "UTC");

/** The date in the person's time zone, as YYYY-MM-DD. */
export const today = () => days.format(serverNow());

/** Listens to every answer, and says so when this computer's clock is more than five minutes off. */
export function keepServerTime() {
  onOutcome((_, response) => {
    const theirs = Date.parse(response?.headers.get("Date") ?? "");
    if (!Number.isFinite(theirs)) return;
    offset = theirs - performance.now();
    const wrong = Math.abs(Date.now() - theirs);
    if (wrong > WRONG_MS) standingWord("clock", say("clock_wrong", { time: spell(wrong / 1000) }), "");
    else clear("clock");
  });
}
