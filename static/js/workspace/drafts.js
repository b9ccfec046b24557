/** Unfinished answers: kept in the browser at once, at the server shortly after, and when the page is left. */

import { Refused, SignedOut, Unreachable, addressOf, send } from "./api.js";
import { pause, say } from "./dom.js";
import { keep, keepingWorks } from "./keeping.js";
import { clear, passingWord, standingWord } from "./status.js";

const SETTLE_MS = 400;
const SLOWEST_RETRY_MS = 30_000;

export class Drafts {
  #collect;
  #onGone;
  #id = null;
  #timer = 0;
  #dirty = false;
  #busy = false;

  /** `collect()` answers the draft's body; `onGone(id)` is called if the pair was answered elsewhere. */
  constructor(collect, onGone) {
    this.#collect = collect;
    this.#onGone = onGone;
    addEventListener("pagehide", () => this.#leave());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#leave(); });
  }

  /** From now on for this assignment; null: for none. */
  attend(assignmentId) {
    clearTimeout(this.#timer);
    this.#id = assignmentId;
    this.#dirty = false;
    clear("draft");
  }

  changed() {
    if (this.#id === null) return;
    this.#dirty = true;
    keep(this.#id, { draft: this.#collect(), synced: false });
    if (keepingWorks()) clear("storage");
    else standingWord("storage", say("storage"), "warn");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SETTLE_MS);
  }

  async #save() {
    if (this.#busy) return;
    this.#busy = true;
    for (let wait = 1000; this.#dirty && this.#id !== null; ) {
      const id = this.#id;
      this.#dirty = false;
      const slow = setTimeout(() => passingWord(say("saving")), 500);
      try {
        await send("PUT", addressOf("draft", id), this.#collect());
        wait = 1000;
        if (id === this.#id) this.#saved(id);
      } catch (error) {
        if (id !== this.#id) continue;
        if (!this.#again(error, id)) break;
        this.#dirty = true;
        await pause(wait);
        wait = Math.min(wait * 2, SLOWEST_RETRY_MS);
      } finally {
        clearTimeout(slow);
      }
    }
    this.#busy = false;
  }

  #saved(id) {
    if (!this.#dirty) keep(id, { synced: true });
    clear("draft");
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    passingWord(say("saved", { time }), "good");
  }

  /** Says what went wrong; whether trying again makes sense. */
  #again(error, id) {
    if (error instanceof Unreachable) {
      standingWord("draft", say("offline"), "warn");
      return true;
    }
    if (error instanceof SignedOut) {
      standingWord("draft", say("signed_out"), "warn", [{ label: say("sign_in"), href: document.body.dataset.urlSignIn }]);
      return true;
    }
    if (error instanceof Refused && error.status === 409) this.#onGone(id);
    else if (error instanceof Refused && error.status === 404) standingWord("draft", say("not_yours"), "bad");
    else standingWord("draft", say("refused", { detail: error.message }), "bad");
    return false;
  }

  /** The page may not come back: sends what is unsaved without waiting for the answer. */
  #leave() {
    if (!this.#dirty || this.#id === null) return;
    send("PUT", addressOf("draft", this.#id), this.#collect(), { keepalive: true }).catch(() => {});
  }
}
