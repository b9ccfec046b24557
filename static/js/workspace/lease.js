/** Keeps the pairs on the desk ours: renews at half of what is left, and when the page is looked at again. */

import { Refused, addressOf, send } from "./api.js";
import { say } from "../page/dom.js";
import { serverNow } from "./server_time.js";
import { clear, standingWord } from "../page/status.js";

const SOONEST_MS = 5_000;
const RETRY_MS = 20_000;
const AWAY_MS = 10 * 60_000;
const WATCH_MS = 15_000;
const SLEPT_MS = 30_000;

export class Leases {
  #held = new Map();
  #current = null;
  #idleMs;
  #onTakeNext;
  #onAnswered;

  /**
   * `idleMs()`: how long the person has done nothing. `onTakeNext()`: they give a lost pair up.
   * `onAnswered()`: the current pair is answered already, in another tab or on another machine.
   */
  constructor({ idleMs, onTakeNext, onAnswered }) {
    this.#idleMs = idleMs;
    this.#onTakeNext = onTakeNext;
    this.#onAnswered = onAnswered;
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#renewDue(); });
    for (const name of ["online", "diptych:retry"]) addEventListener(name, () => this.#renewDue());
    this.#watchSleep();
  }

  /** Timers sleep with the computer, leases do not. A clock that is set only makes us renew once more. */
  #watchSleep() {
    let [wall, monotonic] = [Date.now(), performance.now()];
    let expected = monotonic + WATCH_MS;
    setInterval(() => {
      const late = Math.max(performance.now() - expected, Date.now() - wall - (performance.now() - monotonic));
      [wall, monotonic] = [Date.now(), performance.now()];
      expected = monotonic + WATCH_MS;
      if (late < SLEPT_MS || document.hidden) return;
      for (const lease of this.#held.values()) lease.due = 0;
      this.#renewDue();
    }, WATCH_MS);
  }

  /** Holds exactly these assignments, the current one first. */
  hold(assignments) {
    const wanted = new Map(assignments.filter(Boolean).map((assignment) => [assignment.id, assignment]));
    for (const id of this.#held.keys()) {
      if (!wanted.has(id)) this.#drop(id);
    }
    clear("lease");
    for (const assignment of wanted.values()) this.#note(assignment);
    this.#current = assignments[0]?.id ?? null;
  }

  #note(assignment) {
    clearTimeout(this.#held.get(assignment.id)?.timer);
    const half = Math.max(SOONEST_MS, (Date.parse(assignment.expires_at) - serverNow()) / 2);
    const timer = setTimeout(() => this.#byTimer(assignment.id), half);
    this.#held.set(assignment.id, { timer, due: performance.now() + half });
  }

  /** Somebody who went away does not keep pairs from others; coming back renews. */
  #byTimer(id) {
    if (document.hidden || this.#idleMs() > AWAY_MS) this.#later(id, RETRY_MS);
    else this.renew(id).catch(() => {});
  }

  #renewDue() {
    for (const [id, { due }] of this.#held) if (performance.now() >= due) this.renew(id).catch(() => {});
  }

  /** Renews one lease now; answers the assignment, or null where it is lost. Raises Trouble. */
  async renew(id) {
    try {
      const assignment = await send("POST", addressOf("renew", id));
      if (this.#held.has(id)) this.#note(assignment);
      clear("lease");
      return assignment;
    } catch (error) {
      if (!(error instanceof Refused)) {
        this.#later(id, RETRY_MS);
        throw error;
      }
      if (!this.#held.has(id)) return null; // answered by us meanwhile
      const isCurrent = id === this.#current;
      if (error.code === "already_answered") {
        this.#drop(id);
        if (isCurrent) this.#onAnswered();
        return null;
      }
      if (isCurrent) this.#lost(error);
      this.#later(id, 4 * RETRY_MS);
      return null;
    }
  }

  #drop(id) {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
  }

  #later(id, ms) {
    const lease = this.#held.get(id);
    if (!lease) return;
    clearTimeout(lease.timer);
    Object.assign(lease, { timer: setTimeout(() => this.#byTimer(id), ms), due: performance.now() });
  }

  #lost({ code, message }) {
    const words = code === "lease_lost" ? say("lease_lost") : message;
    standingWord("lease", words, "warn", [{ label: say("take_next"), run: this.#onTakeNext }]);
  }
}
