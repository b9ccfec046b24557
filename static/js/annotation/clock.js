/**
 * Active time by stage: counted only while the page is seen and its person did something within 30 seconds. A pair's
 * time goes on from its draft, so a reload or another tab counts on and nothing twice; the tab that does not work on the
 * study has no stage and counts nothing.
 */

const IDLE_MS = 30_000;
export const TICK_MS = 500;

class Clock {
  #last = performance.now();
  #touched = performance.now();
  /** @type {Api.Timings} */
  timings = {};
  /** Milliseconds of active time since the page was made, over all pairs. */
  total_ms = 0;

  constructor() {
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) {
      addEventListener(name, () => { this.#touched = performance.now(); }, { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => { this.#last = performance.now(); });
  }

  /**
   * A pair that begins, or goes on from a draft. That one appears is nothing that its person did.
   *
   * @param {Api.Timings} [timings]
   */
  reset(timings = {}) {
    this.timings = { ...timings };
    this.#last = performance.now();
  }

  /** Milliseconds since the person last did anything. */
  get idleMs() {
    return performance.now() - this.#touched;
  }

  /**
   * Counts what has passed since the last tick for `stage`; of a long gap, such as a sleeping laptop, next to nothing.
   *
   * @param {string | null} stage the part that is being worked on; null counts nothing
   */
  tick(stage) {
    const now = performance.now();
    const passed = Math.min(now - this.#last, 4 * TICK_MS);
    this.#last = now;
    if (!stage || document.hidden || this.idleMs > IDLE_MS) return;
    this.total_ms += passed;
    for (const name of [stage, "total_active"]) this.timings[name] = Math.round((this.timings[name] ?? 0) + passed);
  }
}

export const clock = new Clock();
