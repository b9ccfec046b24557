/** Problems between the page and the server: no network, or no session. Each is shown once, whichever request met it. */

import { pause, say } from "../page/dom.js";
import { removeLasting, removePassing, showLasting, showPassing, showQuietly } from "../page/status.js";
import { SignedOut, SomebodyElse, Trouble, Unreachable, onOutcome } from "./api.js";
import { outbox } from "./outbox.js";
import { openSignIn } from "./sign_in.js";

const SLOWEST_RETRY_MS = 30_000;

/** @typedef {"unreachable" | "signed_out" | "somebody_else"} Kind */

/** The latest problem, or null if the server responded. @type {Kind | null} */
let kind = null;

export const currentProblem = () => kind;

/** Make everything that waits for the server try again immediately. */
export const tryNow = () => dispatchEvent(new Event("diptych:retry"));

/** Do the same because the person asked for it. Say so until there is an outcome. */
function tryVisibly() {
  showPassing(say("trying"));
  tryNow();
}

/** Event: `change` (a CustomEvent whose detail is a sentence) when the problem changes or ends. */
export const trouble = new EventTarget();

/** Record the problem of a request; null: the server responded. @param {Kind | null} met @param {string} [sentence] */
export function setProblem(met, sentence = "") {
  const changed = met !== kind;
  kind = met;
  removePassing(say("trying"));
  for (const cause of ["unreachable", "signed_out"]) if (cause !== met) removeLasting(cause);
  if (met === "unreachable") showLasting(met, offlineWord(), "warn", [{ label: say("try_now"), run: tryVisibly }]);
  if (met === "signed_out") showLasting(met, say(met), "warn", [{ label: say("sign_in"), run: openSignIn }]);
  if (changed || sentence) trouble.dispatchEvent(new CustomEvent("change", { detail: sentence }));
}

const offlineWord = () => (outbox.waits ? say("offline_waiting", { n: outbox.waits }) : say("offline"));

/** Watch the outcome of every request. */
export function watchTrouble() {
  onOutcome((error, response) => {
    if (error instanceof Unreachable) setProblem("unreachable");
    else if (error instanceof SignedOut) setProblem("signed_out", error.message);
    else if (error instanceof SomebodyElse) setProblem("somebody_else", error.message);
    else if (response) setProblem(null);
  });
  addEventListener("offline", () => setProblem("unreachable"));
}

/**
 * Repeat a request until the server responds. Return its result. Throws Refused.
 *
 * @template T
 * @param {() => Promise<T>} request
 */
export async function retryUntilResponse(request) {
  const word = say("sending");
  const slow = setTimeout(() => showQuietly(word), 300);
  try {
    for (let wait = 1000; ; wait = Math.min(wait * 2, SLOWEST_RETRY_MS)) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        clearTimeout(slow);
        removePassing(word);
        await pause(wait);
      }
    }
  } finally {
    clearTimeout(slow);
    removePassing(word);
  }
}
