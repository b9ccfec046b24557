/** What stood around the videos, and which cues were shown: recorded with the answer (docs/researcher.md, “viewing”). */

import { settings, shownTheme } from "./settings.js";

/** @type {Map<string, number>} */
const cues = new Map();

/**
 * Notes that the page said something that may sway an answer, such as “see it to its end first”.
 *
 * @param {string} name
 */
export function cue(name) {
  cues.set(name, (cues.get(name) ?? 0) + 1);
}

/** Whether the page has said it of this pair. @param {string} name */
export const isCued = (name) => cues.has(name);

/** A new pair, or one that goes on from an earlier report. @param {Record<string, number>} [earlier] */
export function resetCues(earlier = {}) {
  cues.clear();
  for (const [name, times] of Object.entries(earlier)) cues.set(name, times);
}

/**
 * The player's report with all that was presented and cued beside it.
 *
 * @param {Api.Viewing} viewing
 * @returns {Api.Viewing}
 */
export function withPresentation(viewing) {
  const presentation = {
    ...viewing.presentation,
    theme: shownTheme(),
    viewport: [innerWidth, innerHeight],
    language: document.documentElement.lang,
    keys: settings.keys,
    advance: settings.advance,
    autoplay: settings.autoplay,
  };
  return { ...viewing, presentation, cues: Object.fromEntries(cues) };
}
