/**
 * The server's clock, by the Date of its answers and our monotonic clock: a lease ends when the server says so, whatever
 * this computer believes the time to be, also when somebody sets it meanwhile.
 */

import { onOutcome } from "./api.js";
import { say } from "../page/dom.js";
import { dateOf } from "../page/times.js";
import { spell } from "./spelling.js";
import { clear, standingWord } from "../page/status.js";

const WRONG_MS = 5 * 60_000;
/** The header that names the person's day. The day may not be the date in their zone: they may have changed the zone. */
const DAY = "X-Diptych-Day";

let offset = Date.now() - performance.now();

/** Milliseconds since 1970 by the server's clock, to a second or so. */
export const serverNow = () => offset + performance.now();

/** The day on which what the person sees counts, as the server last said it, and when it ends. */
let day = "";
let dayEnds = -Infinity;

/** The date on which what the person sees counts now, as YYYY-MM-DD. */
export const today = () => (serverNow() < dayEnds ? day : dateOf(serverNow()));

/** Listens to every answer, and says so when this computer's clock is more than five minutes off. */
export function keepServerTime() {
  onOutcome((_, response) => {
    const theirs = Date.parse(response?.headers.get("Date") ?? "");
    if (!Number.isFinite(theirs)) return;
    offset = theirs - performance.now();
    const [named, ends] = (response?.headers.get(DAY) ?? "").split(" ");
    if (ends) [day, dayEnds] = [named, Date.parse(ends)];
    const wrong = Math.abs(Date.now() - theirs);
    if (wrong > WRONG_MS) standingWord("clock", say("clock_wrong", { time: spell(wrong / 1000) }), "");
    else clear("clock");
  });
}
