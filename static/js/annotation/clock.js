/**
 * Measure active time by stage. It counts only while the page is visible and the person has done something within 30 seconds. A
 * pair's time continues from its draft, so a reload or another tab counts nothing twice. A tab that does not work on the study
 * has no stage and counts nothing.
 */

const IDLE_MS = 30_000;
export const TICK_MS = 500;

class Clock {
  #last = performance.now();
  #touched = performance.now();
  /** @type {Api.Timings} */
  timings = {};
  /** Active time over all pairs since the page was loaded, in milliseconds. */
  total_ms = 0;

  constructor() {
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) {
      addEventListener(name, () => { this.#touched = performance.now(); }, { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => { this.#last = performance.now(); });
  }

  /**
   * Begin a pair, or continue from the times of a draft. The appearance of a pair does not count as activity.
   *
   * @param {Api.Timings} [timings]
   */
  reset(timings = {}) {
    this.timings = { ...timings };
    this.#last = performance.now();
  }

  /** Milliseconds since the person last did something. */
  get idleMs() {
    return performance.now() - this.#touched;
  }

  /**
   * Add the time since the last tick to `stage`. Of a long gap, such as a sleeping laptop, only a little is added.
   *
   * @param {string | null} stage the part that the person works on; null counts nothing
   */
  tick(stage) {
    const now = performance.now();
    const elapsed = Math.min(now - this.#last, 4 * TICK_MS);
    this.#last = now;
    if (!stage || document.hidden || this.idleMs > IDLE_MS) return;
    this.total_ms += elapsed;
    for (const name of [stage, "total_active"]) this.timings[name] = Math.round((this.timings[name] ?? 0) + elapsed);
  }
}

export const clock = new Clock();
