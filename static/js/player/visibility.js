/** Find out whether each video is visible: the page is visible, and at least half of the video's box is on the screen. */

import { SIDES, bySide, one } from "../page/dom.js";

/** Part of a video's box that must be on the screen. */
const LEAST_PART = 0.5;

export class Visibility {
  #screens = bySide((side) => one(`[data-screen="${side}"]`));
  /** @type {Set<Side>} */
  #onScreen = new Set();

  constructor() {
    const observer = new IntersectionObserver((entries) => this.#observe(entries), { threshold: LEAST_PART });
    for (const side of SIDES) observer.observe(this.#screens[side]);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #observe(entries) {
    for (const { target, intersectionRatio, boundingClientRect: box } of entries) {
      const isOn = intersectionRatio >= LEAST_PART && box.width > 0 && box.height > 0;
      const side = SIDES.find((each) => this.#screens[each] === target);
      if (side) this.#onScreen[isOn ? "add" : "delete"](side);
    }
  }

  /** @param {Side} side */
  isVisible(side) {
    const full = document.fullscreenElement;
    const behind = full !== null && !full.contains(this.#screens[side]);
    return document.visibilityState === "visible" && !behind && this.#onScreen.has(side);
  }
}
