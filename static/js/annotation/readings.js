/** Which sections of the guideline were open during a pair, and for how many seconds each. */

/** What is only scrolled past is not counted as opened. */
const LEAST_S = 1;

export class Readings {
  /** @type {Map<string, number>} */
  #seconds = new Map();
  #isOpen;
  /** @type {string | null} */
  #key = null;
  #since = 0;

  /** `isOpen()`: whether the guideline is on the page at all. @param {() => boolean} isOpen */
  constructor(isOpen) {
    this.#isOpen = isOpen;
    document.addEventListener("visibilitychange", () => this.look(this.#key));
  }

  /** A new pair; `opened` is what an earlier report of it says. @param {Api.GuidelineReading[]} [opened] */
  reset(opened = []) {
    this.#seconds = new Map(opened.map(({ section, open_s: seconds }) => [section, seconds]));
    this.#key = null;
  }

  /** From now on this section is being read; null: none. @param {string | null} key */
  look(key) {
    const now = performance.now();
    if (this.#key !== null && this.#since) {
      this.#seconds.set(this.#key, (this.#seconds.get(this.#key) ?? 0) + (now - this.#since) / 1000);
    }
    this.#key = key;
    this.#since = document.hidden ? 0 : now;
  }

  /** A section was read at another place of the page. @param {string} key @param {number} seconds */
  add(key, seconds) {
    if (seconds >= LEAST_S) this.#seconds.set(key, (this.#seconds.get(key) ?? 0) + seconds);
  }

  /** `[{section, open_s}]` in the order in which they were first opened. */
  report() {
    this.look(this.#isOpen() ? this.#key : null);
    return [...this.#seconds]
      .filter(([, seconds]) => seconds >= LEAST_S)
      .map(([section, seconds]) => ({ section, open_s: Math.round(seconds * 10) / 10 }));
  }
}
