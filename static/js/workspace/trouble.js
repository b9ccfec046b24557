/** What stands between the page and the server, said once whichever request met it: no network, or no session. */

import { SignedOut, SomebodyElse, Unreachable, onOutcome } from "./api.js";
import { say } from "../page/dom.js";
import { clear, standingWord } from "../page/status.js";

/** What was met last: `unreachable`, `signed_out`, `somebody_else`, or null when the server answered. */
let kind = null;

export const troubleMet = () => kind;

/** Lets everything that waits for the server try again at once. */
export const tryNow = () => dispatchEvent(new Event("diptych:retry"));

/** `waits()`: how many answers wait. `signIn()` opens the way back in. `onChange(kind)`: another trouble, or none. */
export function watchTrouble({ waits, signIn, onChange }) {
  const meet = (met, detail = "") => {
    const changed = met !== kind;
    kind = met;
    clearAllBut(met);
    if (met === "unreachable") standingWord(met, offlineWord(waits()), "warn", [{ label: say("try_now"), run: tryNow }]);
    if (met === "signed_out") standingWord(met, say(met), "warn", [{ label: say("sign_in"), run: signIn }]);
    if (changed || detail) onChange(met, detail);
  };
  onOutcome((error, response) => {
    if (error instanceof Unreachable) meet("unreachable");
    else if (error instanceof SignedOut) meet("signed_out", error.message);
    else if (error instanceof SomebodyElse) meet("somebody_else", error.message);
    else if (response) meet(null);
  });
  addEventListener("offline", () => meet("unreachable"));
  return meet;
}

const offlineWord = (waits) => (waits ? say("offline_waiting", { n: waits }) : say("offline"));

function clearAllBut(met) {
  for (const cause of ["unreachable", "signed_out"]) if (cause !== met) clear(cause);
}
