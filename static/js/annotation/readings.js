/** Measure which sections of the guideline were open during a pair, and for how many seconds. */

/** A section that is only scrolled past does not count as opened. */
const LEAST_S = 1;

export class Readings {
  /** @type {Map<string, number>} */
  #seconds = new Map();
  #isOpen;
  /** @type {string | null} */
  #key = null;
  #since = 0;

  /** `isOpen()` returns whether the guideline is on the page. @param {() => boolean} isOpen */
  constructor(isOpen) {
    this.#isOpen = isOpen;
    document.addEventListener("visibilitychange", () => this.look(this.#key));
  }

  /** Begin a new pair. `opened` comes from an earlier report about it. @param {Api.GuidelineReading[]} [opened] */
  reset(opened = []) {
    this.#seconds = new Map(opened.map(({ section, open_s: seconds }) => [section, seconds]));
    this.#key = null;
  }

  /** Begin to measure this section, or none with null. @param {string | null} key */
  look(key) {
    const now = performance.now();
    if (this.#key !== null && this.#since) {
      this.#seconds.set(this.#key, (this.#seconds.get(this.#key) ?? 0) + (now - this.#since) / 1000);
    }
    this.#key = key;
    this.#since = document.hidden ? 0 : now;
  }

  /** Add a section that was read at another place of the page. @param {string} key @param {number} seconds */
  add(key, seconds) {
    if (seconds >= LEAST_S) this.#seconds.set(key, (this.#seconds.get(key) ?? 0) + seconds);
  }

  /** Return `[{section, open_s}]` in the order in which the sections were first opened. */
  report() {
    this.look(this.#isOpen() ? this.#key : null);
    return [...this.#seconds]
      .filter(([, seconds]) => seconds >= LEAST_S)
      .map(([section, seconds]) => ({ section, open_s: Math.round(seconds * 10) / 10 }));
  }
}
