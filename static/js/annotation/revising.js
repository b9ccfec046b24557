/** Changing an answer that is stored: by a second look before the next pair, or reopened from “My work”. */

import { one, say } from "../page/dom.js";
import { passingWord } from "../page/status.js";
import { Refused, addressOf, send } from "./api.js";
import { cue } from "./presenting.js";
import { untilAnswered } from "./trouble.js";
import { madeUuid } from "./uuid.js";

const strip = one("[data-revising]");
const words = one("[data-revising-words]", strip);
const keepButton = one('button[data-action="keep-answers"]', strip);
const submit = one('button[data-action="submit"]');
const submitWord = submit.textContent;
const page = document.body;

/** The assignment that the address asks to reopen, or null. */
export const asked = () => Number(new URLSearchParams(location.search).get("reopen")) || null;

const plainAddress = () => { if (asked()) history.replaceState(null, "", location.pathname); };

class Revising {
  /** @type {number | null} */
  #id = null;
  /** @type {Api.Revision["reason"]} */
  #reason = "reopened";
  #submissionId = "";
  #stored = "";
  /** @type {Api.Desk | null} */
  #desk = null;

  get open() {
    return this.#id !== null;
  }

  /**
   * The current pair is looked at once more; `answers` are stored, and `desk` is what comes after.
   *
   * @param {number} id
   * @param {Api.Answers} answers
   * @param {Api.Desk} desk
   */
  lookAgain(id, answers, desk) {
    this.#desk = desk;
    this.#begin(id, "second_look", answers);
    cue("second_look");
    words.textContent = say("second_look");
    keepButton.textContent = say("keep_answers");
    passingWord(say("second_look_saved"), "good");
  }

  /**
   * Asks for an answered pair. Return its assignment with the stored answers as its draft; null if that is refused, and the
   * reason is said.
   *
   * @param {number} id
   * @returns {Promise<(Api.Reopened & { draft: Api.Draft }) | null>}
   */
  async reopen(id) {
    try {
      /** @type {Api.Reopened} */
      const assignment = await untilAnswered(() => send("GET", addressOf("reopen", id)));
      return { ...assignment, draft: { ...assignment.answers, viewing: assignment.viewing } };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      plainAddress();
      passingWord(say("refused", { detail: error.message }), "warn");
      return null;
    }
  }

  /** That pair is on the page now. @param {Api.Reopened} assignment @param {Api.Answers} answers */
  reopened(assignment, answers) {
    this.#desk = null;
    this.#begin(assignment.id, "reopened", answers);
    const at = new Date(assignment.answered_at);
    const today = at.toDateString() === new Date().toDateString();
    /** @type {Intl.DateTimeFormatOptions} */
    const style = today ? { hour: "2-digit", minute: "2-digit" } : { dateStyle: "medium", timeStyle: "short" };
    words.textContent = say("reopened", { time: at.toLocaleString(document.documentElement.lang, style) });
    keepButton.textContent = say("leave_answers");
  }

  /** @param {number} id @param {Api.Revision["reason"]} reason @param {Api.Answers} answers */
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

  /**
   * Sends the answers as the next revision. Raises Refused.
   *
   * @param {Api.Draft} body
   * @returns {Promise<Api.Desk>} the desk that comes after
   */
  async finish(body) {
    const { helpfulness, harmlessness, unsure, comment } = body;
    const changed = JSON.stringify({ helpfulness, harmlessness, unsure, comment }) !== this.#stored;
    if (changed || this.#reason === "second_look") await this.#send(body, changed);
    else passingWord("");
    const desk = this.#desk ?? (await untilAnswered(() => send("POST", page.dataset.urlLease)));
    this.#close();
    return desk;
  }

  /**
   * Leaves the stored answers as they are, whatever the form says. Return the desk that comes after.
   *
   * @param {Api.Draft} body
   */
  async keep(body) {
    return this.finish({ ...body, ...JSON.parse(this.#stored) });
  }

  /**
   * Leaves them for something else, whose response is the desk that comes after.
   *
   * @template {Api.Desk} T
   * @param {() => Promise<T>} request
   */
  async leaveBy(request) {
    const desk = await untilAnswered(request);
    this.#close();
    return desk;
  }

  /** @param {Api.Draft} body @param {boolean} changed */
  async #send(body, changed) {
    const id = this.#id;
    if (id === null) throw new Error("No answer is being changed.");
    const whole = { ...body, submission_id: this.#submissionId, reason: this.#reason };
    try {
      await untilAnswered(() => send("POST", addressOf("revise", id), whole));
      passingWord(say(changed ? "revised" : "kept"), "good");
    } catch (error) {
      // What was changed stays on the page; the stored answers are there anyway.
      if (changed || !(error instanceof Refused) || error.status !== 409) throw error;
      passingWord(say("refused", { detail: error.message }), "warn");
    }
  }

  #close() {
    this.#id = this.#desk = null;
    strip.hidden = true;
    page.removeAttribute("data-revising-open");
    submit.textContent = submitWord;
    plainAddress();
  }
}

export const revising = new Revising();
