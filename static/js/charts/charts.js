/** Draws the charts of a page. Their specifications stand in the page; the script made/vega.js is loaded before. */

import { all, find, given } from "../page/dom.js";

/**
 * Options under which the policy of the pages has no violation: expressions are interpreted instead of compiled, and no
 * style is set inline. Tooltips are styled in figures.css.
 */
const OPTIONS = {
  ast: true,
  renderer: "svg",
  actions: false,
  defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
};

/** @typedef {(place: HTMLElement, specification: object, options: object) => Promise<unknown>} Draw */

const draw = /** @type {{ vegaEmbed?: Draw }} */ (/** @type {unknown} */ (globalThis)).vegaEmbed;

for (const place of all("[data-chart]")) {
  const failed = find("[data-chart-failed]", place.parentElement ?? document);
  try {
    if (!draw) throw new Error("The script that draws charts is missing.");
    await draw(place, JSON.parse(given(place, "chart")), OPTIONS);
  } catch {
    if (failed) failed.hidden = false;
  }
}
