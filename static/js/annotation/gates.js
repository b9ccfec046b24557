/** Unlock “None of these” and “No” for a video after it was watched to the end. */

import { SIDES, all, one, say } from "../page/dom.js";
import { showPassing, removePassing } from "../page/status.js";
import { form } from "./answer_form.js";
import { navigation } from "./navigation.js";
import { cue } from "./presentation.js";
import { player, seen } from "./videos.js";

/** The last message about an answer that was still locked. @type {{ side: Side, words: string } | null} */
let lockedMessage = null;

document.addEventListener("filtered", unlockAnswers);
// A video can become watched to the end while it plays or when it ends. The player's own listeners run first.
for (const name of ["timeupdate", "ended"]) document.addEventListener(name, () => setTimeout(unlockAnswers), { capture: true });

/** Unlock the answers for each video that was watched to the end. Tags can be set at any time. */
export function unlockAnswers() {
  for (const side of SIDES) {
    const open = seen(side);
    const gate = one(`[data-gate="${side}"]`);
    if (!open) gate.textContent = say(gateWord(side));
    if (gate.hidden === open) continue;
    gate.hidden = open;
    for (const input of all("[data-claims-none]", form.step(`tags-${side}`))) {
      if (open) input.removeAttribute("aria-disabled");
      else input.setAttribute("aria-disabled", "true");
    }
    navigation.refresh();
    if (open && lockedMessage?.side === side) {
      removePassing(lockedMessage.words);
      lockedMessage = null;
    }
  }
}

/** Return the word for what unlocks the answers of a side. @param {Side} side */
function gateWord(side) {
  return ["gate", player.obstacle(side) === "blurred" && "blurred", form.yesNo && "no"].filter(Boolean).join("_");
}

/** Say why the answer of a side is still locked. @param {Side} side */
export function sayLocked(side) {
  cue("seen_first");
  const key = ["seen_first", player.obstacle(side), form.yesNo && "no"].filter(Boolean).join("_");
  lockedMessage = { side, words: say(key, { side: say(side) }) };
  showPassing(lockedMessage.words, "warn");
}
