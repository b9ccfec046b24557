/** Keys of the player on every page that has one, by their position on the keyboard (`event.code`). */

import { toggleFullScreen } from "./full_screen.js";

/**
 * Return the function of each key. Its argument says whether Shift is pressed.
 *
 * @param {import("./player.js").Player} player
 * @returns {Record<string, (shift: boolean) => unknown>}
 */
export const playerKeys = (player) => ({
  Space: () => player.toggle(),
  Comma: (shift) => (shift ? player.paired.stepSeconds(-1) : player.paired.step(-1)),
  Period: (shift) => (shift ? player.paired.stepSeconds(1) : player.paired.step(1)),
  KeyQ: () => player.paired.select("left"),
  KeyW: () => player.paired.select("both"),
  KeyE: () => player.paired.select("right"),
  KeyR: () => player.toggleFilter(),
  KeyV: (shift) => player.choices.nextSpeed(shift ? -1 : 1),
  KeyM: (shift) => player.choices.nextSound(shift ? -1 : 1),
  KeyO: () => player.choices.toggleLoop(),
  KeyX: () => toggleFullScreen(),
});
