/** Return bytes and seconds as text in the page's language. */

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

/** @param {number} seconds */
export function timeInWords(seconds) {
  if (seconds < 60) return inUnit(Math.max(1, Math.ceil(seconds / 10) * 10), "second", 0);
  if (seconds < 3600) return inUnit(Math.round(seconds / 60), "minute", 0);
  return inUnit(seconds / 3600, "hour", 1);
}
