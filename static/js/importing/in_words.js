/** Return bytes and seconds as text in the page's language. */

import { MINUTE, durationInWords } from "../page/times.js";

const language = document.documentElement.lang;
const BYTE_UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte"];

/** @param {number} value @param {string} unit @param {number} digits */
const inUnit = (value, unit, digits) =>
  new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: digits }).format(value);

/** @param {number} bytes */
export function bytesInWords(bytes) {
  let power = 0;
  let value = Math.ceil(bytes / 1024);
  while (value >= 1024 && power < BYTE_UNITS.length - 1) {
    value /= 1024;
    power += 1;
  }
  return inUnit(value, BYTE_UNITS[power], power > 0 && value < 100 ? 1 : 0);
}

/** Rounded up to ten seconds below a minute, and to minutes above. @param {number} seconds */
export function timeInWords(seconds) {
  return seconds < MINUTE ? durationInWords(Math.max(1, Math.ceil(seconds / 10)) * 10) : durationInWords(seconds, MINUTE);
}
