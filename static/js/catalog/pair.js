/** A pair of the library in the annotators' player, under the viewer's own filter. Nothing is answered or reported. */

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
/** Who works without single keys in the workspace has none here. */
const keysOff = () => read(`diptych:${person}:settings`)?.keys === "off";
const shown = told(document);
const player = new Player({
  onExpired: fresh,
  onPlay() {},
  idleMs: () => 0,
  chosen: read(CHOSEN) ?? {},
  onChoice: (chosen) => write(CHOSEN, chosen),
});
const playerSection = one("[data-player]");

/** The pair as the page gives it. @param {Document} page @returns {Api.Assignment} */
function told(page) {
  return JSON.parse(given(one(ADDRESS, page), "pair"));
}

/** @param {Api.Assignment} pair */
const clips = ({ video_0: left, video_1: right }) => ({ left, right });

/** The page has new addresses when it is fetched anew. @param {ClipLoader} loader */
async function fresh(loader) {
  const response = await fetch(location.href, { redirect: "error" });
  if (!response.ok) return false;
  loader.readdress(clips(told(new DOMParser().parseFromString(await response.text(), "text/html"))));
  return true;
}

player.show(shown, clips(shown));

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

addEventListener("pagehide", () => { // else going back would show what was revealed
  player.paired.pause();
  player.contentFilter.filterBoth();
});
