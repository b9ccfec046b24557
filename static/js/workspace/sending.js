/** Submitting: the same answer under the same id until the server has said what became of it. */

import { Refused, SignedOut, Unreachable, addressOf, send } from "./api.js";
import { pause, say } from "./dom.js";
import { forget, keep } from "./keeping.js";
import { clear, passingWord, standingWord } from "./status.js";

const SLOWEST_RETRY_MS = 30_000;

/** Sends `body` for the assignment until it is accepted, and answers the response. Raises Refused. */
export async function submitUntilAnswered(assignmentId, body) {
  keep(assignmentId, { sending: body });
  const answer = await untilAnswered(() => send("POST", addressOf("submit", assignmentId), body)).catch((error) => {
    if (error instanceof Refused) settleRefusal(assignmentId, error);
    throw error;
  });
  forget(assignmentId);
  return answer;
}

/** Repeats a request while the server is away or the person signed out, and says so meanwhile. */
export async function untilAnswered(request) {
  const slow = setTimeout(() => passingWord(say("sending")), 300);
  try {
    for (let wait = 1000; ; wait = Math.min(wait * 2, SLOWEST_RETRY_MS)) {
      try {
        return await request();
      } catch (error) {
        if (error instanceof Unreachable) standingWord("sending", say("offline"), "warn", [tryNow()]);
        else if (error instanceof SignedOut) standingWord("sending", say("signed_out"), "warn", [signIn()]);
        else throw error;
        await pause(wait);
      }
    }
  } finally {
    clearTimeout(slow);
    clear("sending");
  }
}

const tryNow = () => ({ label: say("try_now"), run: () => dispatchEvent(new Event("online")) });
const signIn = () => ({ label: say("sign_in"), href: document.body.dataset.urlSignIn });

/** Answered or skipped before: nothing is left to send. Anything else stays as a draft that can be mended. */
function settleRefusal(assignmentId, error) {
  if (error.status === 409) forget(assignmentId);
  else keep(assignmentId, { sending: null });
}
