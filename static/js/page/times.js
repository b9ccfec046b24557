/**
 * Dates, times and durations in the form that the server writes them in: 2026-11-03 14:05, “3 hours 20 minutes”.
 * Times are in the time zone that the person has chosen, as the server's are.
 */

const { lang, dataset } = document.documentElement;

/** The time zone of this browser, as an IANA name, or an empty text if it has none. */
export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

/**
 * Return a format in the person's time zone. The browser's zone is used where the person has chosen none, or where
 * this browser does not know theirs. Swedish writes dates as YYYY-MM-DD and hours from 00 to 23.
 *
 * @param {Intl.DateTimeFormatOptions} options
 */
function inOwnZone(options) {
  try {
    return new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: dataset.timeZone || undefined });
  } catch {
    return new Intl.DateTimeFormat("sv-SE", options);
  }
}

/** @type {Intl.DateTimeFormatOptions} */
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const days = inOwnZone(DAY);
const clock = inOwnZone(CLOCK);

/** Return the date of a moment, as YYYY-MM-DD. @param {number | Date} moment */
export const dateOf = (moment) => days.format(moment);

/** Return the time of a moment, such as 14:05. @param {number | Date} moment */
export const clockTime = (moment) => clock.format(moment);

/** Return the time of a moment, with its date unless that is today. @param {number | Date} moment */
export const momentInWords = (moment) =>
  dateOf(moment) === dateOf(Date.now()) ? clockTime(moment) : `${dateOf(moment)} ${clockTime(moment)}`;

export const MINUTE = 60;
const HOUR = 60 * MINUTE;
// In Chinese the long form of a second is another word than the server's.
const unitDisplay = lang.startsWith("zh") ? "short" : "long";

/** @param {"hour" | "minute" | "second"} unit */
const unitFormat = (unit) => new Intl.NumberFormat(lang || "en", { style: "unit", unit, unitDisplay });
const hours = unitFormat("hour");
const minutes = unitFormat("minute");
const seconds = unitFormat("second");

/** Chinese formats have no space between number and unit; the server's wording has one. @param {string} text */
const spaced = (text) => text.replace(/(\d)([^\d\s,.])/, "$1 $2");

/**
 * Return a duration such as “1 hour 20 minutes”, rounded to multiples of `to` seconds: `diptych/durations.py` for pages.
 *
 * @param {number} duration_s
 * @param {number} [to]
 */
export function durationInWords(duration_s, to = 1) {
  const rounded = Math.round(Math.max(0, duration_s) / to) * to;
  const [h, m, s] = [Math.floor(rounded / HOUR), Math.floor((rounded % HOUR) / MINUTE), rounded % MINUTE];
  const parts = [
    h ? hours.format(h) : "",
    m || (!rounded && to >= MINUTE) ? minutes.format(m) : "",
    s || (!rounded && to < MINUTE) ? seconds.format(s) : "",
  ];
  return parts.filter(Boolean).map(spaced).join(" ");
}
