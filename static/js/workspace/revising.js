/** Changing an answer that is stored: by a second look before the next pair, or reopened from “My work”. */

import { Refused, addressOf, send } from "./api.js";
import { one, onAction, say } from "../page/dom.js";
import { madeUuid } from "./keeping.js";
import { cue } from "./presenting.js";
import { untilAnswered } from "./sending.js";
import { passingWord } from "../page/status.js";

const strip = one("[data-revising]");
const words = one("[data-revising-words]", strip);
const keepButton = one('[data-action="keep-answers"]', strip);
const submit = one('[data-action="submit"]');
const submitWord = submit.textContent;
const page = document.body;

/** The assignment that the address asks to reopen, or null. */
export const asked = () => Number(new URLSearchParams(location.search).get("reopen")) || null;

const plainAddress = () => { if (asked()) history.replaceState(null, "", location.pathname); };

export class Revising {
  #id = null;
  #reason = "";
  #submissionId = "";
  #stored = "";
  #desk = null;

  /** `onKeep()`: the person leaves the answers as they are. */
  constructor(onKeep) {
    onAction("keep-answers", onKeep);
  }

  get open() {
    return this.#id !== null;
  }

  /** The pair in hand is looked at once more; `answers` are stored, and `desk` is what comes after. */
  lookAgain(id, answers, desk) {
    this.#desk = desk;
    this.#begin(id, "second_look", answers);
    cue("second_look");
    words.textContent = say("second_look");
    keepButton.textContent = say("keep_answers");
    passingWord(say("second_look_saved"), "good");
  }

  /** Asks for an answered pair; its assignment with the stored answers as its draft, or null and the reason said. */
  async reopen(id) {
    try {
      const assignment = await untilAnswered(() => send("GET", addressOf("reopen", id)));
      return { ...assignment, draft: { ...assignment.answers, viewing: assignment.viewing } };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      plainAddress();
      passingWord(say("refused", { detail: error.message }), "warn");
      return null;
    }
  }

  /** That pair is on the page now. */
  reopened(assignment, answers) {
    this.#desk = null;
    this.#begin(assignment.id, "reopened", answers);
    const at = new Date(assignment.answered_at);
    const today = at.toDateString() === new Date().toDateString();
    const style = today ? { hour: "2-digit", minute: "2-digit" } : { dateStyle: "medium", timeStyle: "short" };
    words.textContent = say("reopened", { time: at.toLocaleString(document.documentElement.lang, style) });
    keepButton.textContent = say("leave_answers");
  }

  #begin(id, reason, answers) {
    this.#id = id;
    this.#reason = reason;
    this.#submissionId = madeUuid();
    this.#stored = JSON.stringify(answers);
    strip.hidden = false;
    page.toggleAttribute("data-revising-open", true);
    submit.textContent = say("save_change");
    strip.focus({ preventScroll: true });
  }

  /** Sends the answers as the next revision, and answers the desk that comes after. Raises Refused. */
  async finish(body) {
    const { helpfulness, harmlessness } = body;
    const changed = JSON.stringify({ helpfulness, harmlessness }) !== this.#stored;
    if (changed || this.#reason === "second_look") await this.#send(body, changed);
    else passingWord("");
    return this.#close();
  }

  /** Leaves the stored answers as they are, whatever the form says, and answers the desk that comes after. */
  async keep(body) {
    return this.finish({ ...body, ...JSON.parse(this.#stored) });
  }

  /** Leaves them for something else, which answers the desk that comes after. */
  async leaveBy(request) {
    this.#desk = await untilAnswered(request);
    return this.#close();
  }

  async #send(body, changed) {
    const whole = { ...body, submission_id: this.#submissionId, reason: this.#reason };
    try {
      await untilAnswered(() => send("POST", addressOf("revise", this.#id), whole));
      passingWord(say(changed ? "revised" : "kept"), "good");
    } catch (error) {
      // What was changed stays on the page; the stored answers are there anyway.
      if (changed || !(error instanceof Refused) || error.status !== 409) throw error;
      passingWord(say("refused", { detail: error.message }), "warn");
    }
  }

  async #close() {
    const desk = this.#desk ?? (await untilAnswered(() => send("POST", page.dataset.urlLease)));
    this.#id = this.#desk = null;
    strip.hidden = true;
    page.removeAttribute("data-revising-open");
    submit.textContent = submitWord;
    plainAddress();
    return desk;
  }
}
