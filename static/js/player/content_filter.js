/** The warning and the filter of a pair that may show harm. The filter stays until the person reveals a side. */

import { SIDES, all, bySide, one, say } from "../page/dom.js";

const screens = bySide((side) => one(`[data-screen="${side}"]`));
const strips = bySide((side) => one(`[data-veil="${side}"]`));
const toggle = one('button[data-action="veil"]');

export class ContentFilter {
  /** The filter of this pair. @type {Api.Assignment["media_filter"]} */
  filter = "none";
  /** The kind of warning for this pair. @type {"none" | "generic" | "named"} */
  warning = "none";
  #revealed = { left: false, right: false };

  /** Set the warning and the filter for a new pair. A harmless pair has neither. @param {Partial<Api.Assignment>} assignment */
  begin({ sensitive = false, media_filter: filter = "none", may_show: harms = [] }) {
    this.filter = sensitive ? filter : "none";
    this.warning = !sensitive ? "none" : harms.length ? "named" : "generic";
    for (const side of SIDES) one("[data-veil-words]", strips[side]).textContent = words(harms);
    this.filterBoth();
  }

  /** @param {Side} side */
  isFiltered(side) {
    return this.filter !== "none" && !this.#revealed[side];
  }

  /** Put the filter on both videos again. */
  filterBoth() {
    this.#set(SIDES, false);
  }

  /** @param {Side} side */
  reveal(side) {
    this.#set([side], true);
  }

  /** Reveal these sides. If all of them are revealed already, filter both again. @param {readonly Side[]} sides */
  toggle(sides) {
    if (sides.some((side) => this.isFiltered(side))) this.#set(sides, true);
    else this.filterBoth();
  }

  /** Remove a warning without a filter: the person has read it before they play the pair. */
  dismissWarning() {
    if (this.filter === "none") for (const side of SIDES) strips[side].hidden = true;
  }

  /** @param {readonly Side[]} sides @param {boolean} revealed */
  #set(sides, revealed) {
    for (const side of sides) this.#revealed[side] = revealed;
    for (const side of SIDES) {
      const filtered = this.isFiltered(side);
      if (filtered) screens[side].dataset.veiled = this.filter;
      else delete screens[side].dataset.veiled;
      strips[side].hidden = this.warning === "none" || (this.filter !== "none" && !filtered);
      one("button", strips[side]).hidden = !filtered;
    }
    toggle.hidden = this.filter === "none";
    toggle.setAttribute("aria-pressed", String(SIDES.some((side) => this.isFiltered(side))));
    for (const name of all("[data-filter-name]", toggle)) name.hidden = name.dataset.filterName !== this.filter;
    document.dispatchEvent(new Event("filtered"));
  }
}

/** @param {string[]} harms */
function words(harms) {
  if (!harms.length) return say("may_show");
  return say("may_show_named", { harms: harms.map((key) => one(`[data-harm-label="${key}"]`).textContent).join(" · ") });
}
