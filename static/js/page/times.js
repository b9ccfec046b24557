/** Times as the pages show them: in the time zone that the person keeps, which the server shows its own times in too. */

const { lang, dataset } = document.documentElement;

/** The time zone of this browser, as an IANA name, or an empty text if it has none. */
export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

/**
 * A format in the person's time zone, or in the browser's where the person has none or this browser does not know it.
 *
 * @param {string} language
 * @param {Intl.DateTimeFormatOptions} options
 */
export function inOwnZone(language, options) {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: dataset.timeZone || undefined });
  } catch {
    return new Intl.DateTimeFormat(language, options);
  }
}

/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const clock = inOwnZone(lang, CLOCK);
const whole = inOwnZone(lang, { dateStyle: "medium", timeStyle: "short" });
/** Swedish writes dates as YYYY-MM-DD. */
const days = inOwnZone("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });

/** The date of a moment, as YYYY-MM-DD. @param {number | Date} moment */
export const dateOf = (moment) => days.format(moment);

/** The time of a moment, such as 14:05. @param {number | Date} moment */
export const clockTime = (moment) => clock.format(moment);

/** The time of a moment, with its date unless that is today. @param {number | Date} moment */
export const momentInWords = (moment) => (dateOf(moment) === dateOf(Date.now()) ? clock : whole).format(moment);
