/** A pair of the library in the annotators' player, under the viewer's own filter. Nothing is answered or reported. */

import { around, given, one } from "../page/dom.js";
import { isEscapeSpent } from "../page/escape.js";
import { Player } from "../player/player.js";

const ADDRESS = "[data-pair]";
const CONTROL = "a, button, input, select, textarea, summary";
const shown = told(document);
const player = new Player({ onExpired: fresh, onPlay() {}, idleMs: () => 0 });

/** The pair as the page gives it. @param {Document} page @returns {Api.Assignment} */
function told(page) {
  return JSON.parse(given(one(ADDRESS, page), "pair"));
}

/** @param {Api.Assignment} pair */
const clips = ({ video_0: left, video_1: right }) => ({ left, right });

/** The page has new addresses when it is fetched anew. @param {Reel} reel */
async function fresh(reel) {
  const response = await fetch(location.href, { redirect: "error" });
  if (!response.ok) return false;
  reel.readdress(clips(told(new DOMParser().parseFromString(await response.text(), "text/html"))));
  return true;
}

player.show(shown, clips(shown));

/** @type {Record<string, (shift: boolean) => void>} */
const keys = {
  Space: () => player.toggle(),
  Comma: (shift) => (shift ? player.duo.stepSeconds(-1) : player.duo.step(-1)),
  Period: (shift) => (shift ? player.duo.stepSeconds(1) : player.duo.step(1)),
  KeyQ: () => player.duo.select("left"),
  KeyW: () => player.duo.select("both"),
  KeyE: () => player.duo.select("right"),
  KeyR: () => player.turnVeil(),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.metaKey || event.ctrlKey || event.repeat) return;
  if (event.code === "Escape") {
    if (!isEscapeSpent(event)) player.hide(!player.hidden, { counts: false });
    return;
  }
  if (around(event, "input:not([type=range]), select, textarea")) return;
  if (event.code === "Space" && around(event, CONTROL)) return;
  const act = keys[event.code];
  if (!act) return;
  event.preventDefault();
  act(event.shiftKey);
});

addEventListener("pagehide", () => { // else going back would show what was revealed
  player.duo.pause();
  player.veil.cover();
});
