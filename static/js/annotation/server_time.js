/**
 * The server's time, from the Date header of its responses and the monotonic clock. A lease ends by the server's clock, even
 * if this computer's clock is wrong or is changed in the meantime.
 */

import { onOutcome } from "./api.js";
import { say } from "../page/dom.js";
import { dateOf } from "../page/times.js";
import { spell } from "./spelling.js";
import { removeLasting, showLasting } from "../page/status.js";

const WRONG_MS = 5 * 60_000;
/** Header with the person's day. It can differ from the date in their time zone after they have changed the zone. */
const DAY = "X-Diptych-Day";

let offset = Date.now() - performance.now();

/** Return the server's time in milliseconds since 1970, accurate to about a second. */
export const serverNow = () => offset + performance.now();

/** The day on which exposure counts, as the server last said, and when this day ends. */
let day = "";
let dayEnds = -Infinity;

/** Return the date on which exposure counts now, as YYYY-MM-DD. */
export const today = () => (serverNow() < dayEnds ? day : dateOf(serverNow()));

/** Read the time of every response. Warn if this computer's clock is off by more than five minutes. */
export function keepServerTime() {
  onOutcome((_, response) => {
    const theirs = Date.parse(response?.headers.get("Date") ?? "");
    if (!Number.isFinite(theirs)) return;
    offset = theirs - performance.now();
    const [named, ends] = (response?.headers.get(DAY) ?? "").split(" ");
    if (ends) [day, dayEnds] = [named, Date.parse(ends)];
    const wrong = Math.abs(Date.now() - theirs);
    if (wrong > WRONG_MS) showLasting("clock", say("clock_wrong", { time: spell(wrong / 1000) }), "");
    else removeLasting("clock");
  });
}
