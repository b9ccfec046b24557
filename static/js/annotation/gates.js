/** “None of these” and “no” open for a video once it was watched to its end: its gates. */

import { SIDES, all, one, say } from "../page/dom.js";
import { passingWord, unsay } from "../page/status.js";
import { form } from "./answer_form.js";
import { guide } from "./guide.js";
import { cue } from "./presenting.js";
import { player, seen } from "./videos.js";

/** What the page has last said of a gate that was not open yet. @type {{ side: Side, words: string } | null} */
let saidTooSoon = null;

// A video becomes seen through while it plays, or as it ends; the player's own listeners come first.
for (const name of ["timeupdate", "ended"]) document.addEventListener(name, () => setTimeout(openGates), { capture: true });

/** That a video shows no harm can be said once it has been watched to its end; that it shows one, at any time. */
export function openGates() {
  for (const side of SIDES) {
    const open = seen(side);
    const gate = one(`[data-gate="${side}"]`);
    if (gate.hidden === open) continue;
    gate.hidden = open;
    for (const input of all("[data-claims-none]", form.step(`tags-${side}`))) {
      if (open) input.removeAttribute("aria-disabled");
      else input.setAttribute("aria-disabled", "true");
    }
    guide.refresh();
    if (open && saidTooSoon?.side === side) {
      unsay(saidTooSoon.words);
      saidTooSoon = null;
    }
  }
}

/** Says why a gate is not open yet. @param {Side} side */
export function sayTooSoon(side) {
  cue("seen_first");
  const key = ["seen_first", player.obstacle(side), form.yesNo && "no"].filter(Boolean).join("_");
  saidTooSoon = { side, words: say(key, { side: say(side) }) };
  passingWord(saidTooSoon.words, "warn");
}
