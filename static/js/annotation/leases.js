/** Keeps the person's pairs leased: renews at half of what is left, and when the page is looked at again. */

import { say } from "../page/dom.js";
import { clear, standingWord } from "../page/status.js";
import { Refused, addressOf, send } from "./api.js";
import { clock } from "./clock.js";
import { serverNow } from "./server_time.js";

const SOONEST_MS = 5_000;
const RETRY_MS = 20_000;
const AWAY_MS = 10 * 60_000;
const WATCH_MS = 15_000;
const SLEPT_MS = 30_000;

/** @typedef {{ id: number, expires_at: string }} Leased an assignment, and when its lease ends */

/**
 * Events: `answered` when the current pair is answered already, in another tab or on another machine; `given_up` when the
 * person gives a lost pair up.
 */
class Leases extends EventTarget {
  /** @type {Map<number, { timer: number, due: number }>} */
  #held = new Map();
  /** @type {number | null} */
  #current = null;

  constructor() {
    super();
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

  /** Holds exactly these assignments. @param {Leased | null} [first] the current one @param {Leased | null} [second] */
  hold(first = null, second = null) {
    const wanted = [first, second].filter((assignment) => assignment !== null);
    for (const id of this.#held.keys()) {
      if (!wanted.some((assignment) => assignment.id === id)) this.#drop(id);
    }
    clear("lease");
    for (const assignment of wanted) this.#note(assignment);
    this.#current = first?.id ?? null;
  }

  /** @param {Leased} assignment */
  #note(assignment) {
    clearTimeout(this.#held.get(assignment.id)?.timer);
    const half = Math.max(SOONEST_MS, (Date.parse(assignment.expires_at) - serverNow()) / 2);
    const timer = setTimeout(() => this.#byTimer(assignment.id), half);
    this.#held.set(assignment.id, { timer, due: performance.now() + half });
  }

  /** Somebody who went away does not keep pairs from others; coming back renews. @param {number} id */
  #byTimer(id) {
    if (document.hidden || clock.idleMs > AWAY_MS) this.#later(id, RETRY_MS);
    else this.renew(id).catch(() => {});
  }

  #renewDue() {
    for (const [id, { due }] of this.#held) if (performance.now() >= due) this.renew(id).catch(() => {});
  }

  /** Renews one lease now. Return the assignment, or null where it is lost. Raises Trouble. @param {number} id */
  async renew(id) {
    try {
      /** @type {Api.Assignment} */
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
        if (isCurrent) this.dispatchEvent(new Event("answered"));
        return null;
      }
      if (isCurrent) this.#lost(error);
      this.#later(id, 4 * RETRY_MS);
      return null;
    }
  }

  /** @param {number} id */
  #drop(id) {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
  }

  /** @param {number} id @param {number} ms */
  #later(id, ms) {
    const lease = this.#held.get(id);
    if (!lease) return;
    clearTimeout(lease.timer);
    Object.assign(lease, { timer: setTimeout(() => this.#byTimer(id), ms), due: performance.now() });
  }

  /** @param {Refused} refusal */
  #lost({ code, message }) {
    const words = code === "lease_lost" ? say("lease_lost") : message;
    const giveUp = () => this.dispatchEvent(new Event("given_up"));
    standingWord("lease", words, "warn", [{ label: say("take_next"), run: giveUp }]);
  }
}

export const leases = new Leases();
