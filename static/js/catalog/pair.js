/** A pair of the library in the annotators' player, with the viewer's own filter. It cannot be answered here. */

import { read, write } from "../page/local_settings.js";
import { CONTROL, TEXT } from "../page/controls.js";
import { given, one } from "../page/dom.js";
import { isEscapeSpent } from "../page/escape.js";
import { bindRestingFocus } from "../page/focus.js";
import { playerKeys } from "../player/player_keys.js";
import { Player } from "../player/player.js";

const ADDRESS = "[data-pair]";
const person = given(one("form[data-sign-out]"), "person");
const CHOSEN = `diptych:${person}:library-player`;
/** Single keys are off here if the person has turned them off in the workspace. */
const keysOff = () => read(`diptych:${person}:settings`)?.keys === "off";
const pair = pairOf(document);
const player = new Player({
  onExpired: renewAddresses,
  onPlay() {},
  idleMs: () => 0,
  chosen: read(CHOSEN) ?? {},
  onChoice: (chosen) => write(CHOSEN, chosen),
});
const playerSection = one("[data-player]");

/** Returns the pair that is stored in the page. @param {Document} page @returns {Api.Assignment} */
function pairOf(page) {
  return JSON.parse(given(one(ADDRESS, page), "pair"));
}

/** @param {Api.Assignment} pair */
const clips = ({ video_0: left, video_1: right }) => ({ left, right });

/** Fetches the page again, which has new addresses of the videos. Returns whether it worked. @param {ClipLoader} loader */
async function renewAddresses(loader) {
  const response = await fetch(location.href, { redirect: "error" });
  if (!response.ok) return false;
  loader.readdress(clips(pairOf(new DOMParser().parseFromString(await response.text(), "text/html"))));
  return true;
}

player.show(pair, clips(pair));

bindRestingFocus(() => (keysOff() ? null : playerSection));
const keys = playerKeys(player);

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.metaKey || event.ctrlKey || event.repeat) return;
  if (event.code === "Escape") {
    if (!isEscapeSpent(event)) player.hide(!player.hidden, { counts: false });
    return;
  }
  const focused = document.activeElement;
  if (keysOff() || focused?.matches(TEXT) || (event.code === "Space" && focused?.matches(CONTROL))) return;
  const act = keys[event.code];
  if (!act) return;
  event.preventDefault();
  act(event.shiftKey);
});

addEventListener("pagehide", () => { // otherwise going back would show revealed videos
  player.paired.pause();
  player.contentFilter.filterBoth();
});
