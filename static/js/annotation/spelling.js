/** Durations in the workspace, with seconds only while they are short. */

import { MINUTE, durationInWords } from "../page/times.js";

/** Whole seconds below a minute and a half, then minutes. @param {number} time_s */
export const spell = (time_s) => durationInWords(time_s, Math.round(time_s) < 90 ? 1 : MINUTE);

/** Minutes only. @param {number} time_s */
export const spellMinutes = (time_s) => durationInWords(time_s, MINUTE);
