/** Keeps the pairs on the desk ours: renews at half of what is left, and when the page is looked at again. */

import { Refused, addressOf, clockAheadMs, send } from "./api.js";
import { say } from "./dom.js";
import { clear, standingWord } from "./status.js";

const SOONEST_MS = 5_000;
const RETRY_MS = 20_000;
const AWAY_MS = 10 * 60_000;

export class Leases {
  #held = new Map();
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
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) for (const id of this.#held.keys()) this.#renewIfDue(id);
    });
    addEventListener("online", () => { for (const id of this.#held.keys()) this.#renewIfDue(id); });
  }

  /** Holds exactly these assignments, the current one first. */
  hold(assignments) {
    const wanted = new Map(assignments.filter(Boolean).map((assignment) => [assignment.id, assignment]));
    for (const id of this.#held.keys()) {
      if (!wanted.has(id)) this.#drop(id);
    }
    clear("lease");
    for (const assignment of wanted.values()) this.#note(assignment);
  }

  #note(assignment) {
    clearTimeout(this.#held.get(assignment.id)?.timer);
    const expires = Date.parse(assignment.expires_at) - clockAheadMs;
    const half = Math.max(SOONEST_MS, (expires - Date.now()) / 2);
    const timer = setTimeout(() => this.#byTimer(assignment.id), half);
    this.#held.set(assignment.id, { timer, due: Date.now() + half });
  }

  /** Somebody who went away does not keep pairs from others; coming back renews. */
  #byTimer(id) {
    if (document.hidden || this.#idleMs() > AWAY_MS) this.#later(id, RETRY_MS);
    else this.renew(id).catch(() => {});
  }

  #renewIfDue(id) {
    if (Date.now() >= this.#held.get(id).due) this.renew(id).catch(() => {});
  }

  /** Renews one lease now; answers the assignment, or null where it is lost. Raises Unreachable, SignedOut. */
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
      const isCurrent = id === this.#held.keys().next().value;
      if (error.code === "already_answered") {
        this.#drop(id);
        if (isCurrent) this.#onAnswered();
        return null;
      }
      if (isCurrent) this.#lost();
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
    Object.assign(lease, { timer: setTimeout(() => this.#byTimer(id), ms), due: Date.now() });
  }

  #lost() {
    standingWord("lease", say("lease_lost"), "warn", [{ label: say("take_next"), run: this.#onTakeNext }]);
  }
}
