/** Record how the page looked around the videos and which cues were shown, with the answer (docs/researcher.md, “viewing”). */

import { settings, shownTheme } from "./settings.js";

/** @type {Map<string, number>} */
const cues = new Map();

/**
 * Record that the page showed a message that may influence an answer, such as “watch the video to the end”.
 *
 * @param {string} name
 */
export function cue(name) {
  cues.set(name, (cues.get(name) ?? 0) + 1);
}

/** Return whether the page has shown the cue for this pair. @param {string} name */
export const isCued = (name) => cues.has(name);

/** Begin a new pair, or continue from an earlier report. @param {Record<string, number>} [earlier] */
export function resetCues(earlier = {}) {
  cues.clear();
  for (const [name, times] of Object.entries(earlier)) cues.set(name, times);
}

/**
 * Return the player's report, together with the presentation and the cues of the page.
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
