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

/** Draws a chart in its place, or says that it could not be drawn. @param {HTMLElement} place @param {object} specification */
export async function drawChart(place, specification) {
  const failed = find("[data-chart-failed]", place.parentElement ?? document);
  try {
    if (!draw) throw new Error("The script that draws charts is missing.");
    await draw(place, specification, OPTIONS);
    if (failed) failed.hidden = true;
  } catch {
    if (failed) failed.hidden = false;
  }
}

for (const place of all("[data-chart]")) await drawChart(place, JSON.parse(given(place, "chart")));
