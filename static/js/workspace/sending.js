/** Sending what waits: in order, by one tab at a time, each under its own id until the server says what became of it. */

import { Refused, Trouble, send } from "./api.js";
import { pause, say } from "../page/dom.js";
import { quietWord, unsay } from "../page/status.js";

const SLOWEST_RETRY_MS = 30_000;

/** Repeats a request while something stands between us and the server. Raises Refused. */
export async function untilAnswered(request) {
  const word = say("sending");
  const slow = setTimeout(() => quietWord(word), 300);
  try {
    for (let wait = 1000; ; wait = Math.min(wait * 2, SLOWEST_RETRY_MS)) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        clearTimeout(slow);
        unsay(word);
        await pause(wait);
      }
    }
  } finally {
    clearTimeout(slow);
    unsay(word);
  }
}

/** Whether a pair was answered or skipped before: then nothing of what was typed can be sent any more. */
export const isOver = ({ status, code }) => status === 409 && (code === "already_answered" || code === "skipped");

/**
 * Sends all that waits, once through. Answers what came with the last of it if that was of `study`: a desk, or null.
 * `onTaken(entry, answer)` and `onRefused(entry, error)` are told what became of each. What is refused because consent
 * was withdrawn keeps its place in the line. Raises Trouble.
 */
export function sendWaiting(keeping, { study = null, onTaken = () => {}, onRefused = () => {} } = {}) {
  return alone(`diptych-${keeping.person}-sending`, async () => {
    keeping.holdNothingBack();
    const sendable = async () => (await keeping.waiting()).filter((entry) => !keeping.isHeldBack(entry));
    let desk = null;
    for (let [entry, ...rest] = await sendable(); entry; [entry, ...rest] = await sendable()) {
      const wanted = entry.study === study && rest.length === 0;
      desk = null;
      try {
        const answer = await send("POST", entry.address, bodyOf(entry, wanted), { person: keeping.person });
        await keeping.settle(entry);
        onTaken(entry, answer);
        if (wanted) desk = answer;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.code === "consent") {
          keeping.holdBack(entry);
          continue;
        }
        await keeping.settle(entry, isMendable(entry, error) ? entry.body : null);
        onRefused(entry, error);
      }
    }
    return desk;
  });
}

const bodyOf = ({ verb, body }, wanted) => (verb === "submit" ? { ...body, lease_next: wanted } : body);

/** A skip that is refused is simply not done. */
const isMendable = ({ verb }, error) => verb === "submit" && !isOver(error);

/**
 * One tab sends at a time. Without Web Locks (a page not served over HTTPS) two may: each answer has its id, under
 * which the server stores it once.
 */
function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
