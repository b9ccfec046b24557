/** A pair of the library in the annotators' player, under the viewer's own filter. Nothing is answered or reported. */

import { isEscapeSpent } from "./page/escape.js";
import { Player } from "./player/player.js";

const ADDRESS = "[data-pair]";
const CONTROL = "a, button, input, select, textarea, summary";
const shown = told(document);
const player = new Player({ onExpired: fresh, onPlay() {}, idleMs: () => 0 });

function told(page) {
  return JSON.parse(page.querySelector(ADDRESS).dataset.pair);
}

const clips = ({ video_0: left, video_1: right }) => ({ left, right });

/** The page has new addresses when it is fetched anew. */
async function fresh(reel) {
  const response = await fetch(location.href, { redirect: "error" });
  if (!response.ok) return false;
  reel.readdress(clips(told(new DOMParser().parseFromString(await response.text(), "text/html"))));
  return true;
}

player.show(shown, clips(shown));

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
  if (event.target.closest?.("input:not([type=range]), select, textarea")) return;
  if (event.code === "Space" && event.target.closest?.(CONTROL)) return;
  const act = keys[event.code];
  if (!act) return;
  event.preventDefault();
  act(event.shiftKey);
});

addEventListener("pagehide", () => { // else going back would show what was revealed
  player.duo.pause();
  player.veil.cover();
});
