/** Renew the leases of the person's pairs: after half of the remaining time, and when the page becomes visible again. */

import { say } from "../page/dom.js";
import { removeLasting, showLasting } from "../page/status.js";
import { Refused, addressOf, send } from "./api.js";
import { clock } from "./clock.js";
import { serverNow } from "./server_time.js";

const SOONEST_MS = 5_000;
const RETRY_MS = 20_000;
const AWAY_MS = 10 * 60_000;
const WATCH_MS = 15_000;
const SLEPT_MS = 30_000;

/** @typedef {{ id: number, expires_at: string }} Leased an assignment and the end of its lease */

/**
 * Events: `answered` when the current pair was already answered, in another tab or on another computer; `given_up` when the
 * person leaves a pair whose lease is lost.
 */
class Leases extends EventTarget {
  /** @type {Map<number, { timer: number, due: number }>} */
  #leases = new Map();
  /** @type {number | null} */
  #current = null;

  constructor() {
    super();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#renewDue(); });
    for (const name of ["online", "diptych:retry"]) addEventListener(name, () => this.#renewDue());
    this.#watchSleep();
  }

  /** Renew after the computer slept: timers sleep, but leases do not. A changed clock only causes one more renewal. */
  #watchSleep() {
    let [wall, monotonic] = [Date.now(), performance.now()];
    let expected = monotonic + WATCH_MS;
    setInterval(() => {
      const late = Math.max(performance.now() - expected, Date.now() - wall - (performance.now() - monotonic));
      [wall, monotonic] = [Date.now(), performance.now()];
      expected = monotonic + WATCH_MS;
      if (late < SLEPT_MS || document.hidden) return;
      for (const lease of this.#leases.values()) lease.due = 0;
      this.#renewDue();
    }, WATCH_MS);
  }

  /** Keep exactly these assignments leased. @param {Leased | null} [first] the current one @param {Leased | null} [second] */
  hold(first = null, second = null) {
    const wanted = [first, second].filter((assignment) => assignment !== null);
    for (const id of this.#leases.keys()) {
      if (!wanted.some((assignment) => assignment.id === id)) this.#drop(id);
    }
    removeLasting("lease");
    for (const assignment of wanted) this.#note(assignment);
    this.#current = first?.id ?? null;
  }

  /** @param {Leased} assignment */
  #note(assignment) {
    clearTimeout(this.#leases.get(assignment.id)?.timer);
    const half = Math.max(SOONEST_MS, (Date.parse(assignment.expires_at) - serverNow()) / 2);
    const timer = setTimeout(() => this.#byTimer(assignment.id), half);
    this.#leases.set(assignment.id, { timer, due: performance.now() + half });
  }

  /** Renew unless the person has left the page, so that others can get the pairs. Returning renews them. @param {number} id */
  #byTimer(id) {
    if (document.hidden || clock.idleMs > AWAY_MS) this.#later(id, RETRY_MS);
    else this.renew(id).catch(() => {});
  }

  #renewDue() {
    for (const [id, { due }] of this.#leases) if (performance.now() >= due) this.renew(id).catch(() => {});
  }

  /** Renew one lease now. Return the assignment, or null if it is lost. Throws Trouble. @param {number} id */
  async renew(id) {
    try {
      /** @type {Api.Assignment} */
      const assignment = await send("POST", addressOf("renew", id));
      if (this.#leases.has(id)) this.#note(assignment);
      removeLasting("lease");
      return assignment;
    } catch (error) {
      if (!(error instanceof Refused)) {
        this.#later(id, RETRY_MS);
        throw error;
      }
      if (!this.#leases.has(id)) return null; // answered here in the meantime
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
    clearTimeout(this.#leases.get(id)?.timer);
    this.#leases.delete(id);
  }

  /** @param {number} id @param {number} ms */
  #later(id, ms) {
    const lease = this.#leases.get(id);
    if (!lease) return;
    clearTimeout(lease.timer);
    Object.assign(lease, { timer: setTimeout(() => this.#byTimer(id), ms), due: performance.now() });
  }

  /** @param {Refused} refusal */
  #lost({ code, message }) {
    const words = code === "lease_lost" ? say("lease_lost") : message;
    const giveUp = () => this.dispatchEvent(new Event("given_up"));
    showLasting("lease", words, "warn", [{ label: say("take_next"), run: giveUp }]);
  }
}

export const leases = new Leases();
