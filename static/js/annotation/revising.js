/** Change a submitted answer: in a second look before the next pair, or after reopening it. */

import { one, say } from "../page/dom.js";
import { announce, showPassing } from "../page/status.js";
import { momentInWords } from "../page/times.js";
import { Refused, addressOf, send } from "./api.js";
import { cue } from "./presentation.js";
import { retryUntilResponse } from "./trouble.js";
import { madeUuid } from "./uuid.js";

const strip = one("[data-revising]");
const words = one("[data-revising-words]", strip);
const keepButton = one('button[data-action="keep-answers"]', strip);
const submit = one('button[data-action="submit"]');
const submitWord = submit.textContent;
const page = document.body;

/** Return the assignment that the address asks to reopen, or null. */
export const assignmentToReopen = () => Number(new URLSearchParams(location.search).get("reopen")) || null;

/** Fetch an answered pair. Throws Refused or Trouble. @param {number} id @returns {Promise<Api.Reopened>} */
const askFor = (id) => send("GET", addressOf("reopen", id));

const plainAddress = () => { if (assignmentToReopen()) history.replaceState(null, "", location.pathname); };

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

  /** The assignment whose answer is open, or null. */
  get id() {
    return this.#id;
  }

  /** Whether the open answer was reopened by its person. */
  get isReopened() {
    return this.open && this.#reason === "reopened";
  }

  /**
   * Begin a second look at the current pair. `answers` are stored already, and `desk` has the next pairs.
   *
   * @param {number} id
   * @param {Api.Answers} answers
   * @param {Api.Desk} desk
   */
  beginSecondLook(id, answers, desk) {
    this.#desk = desk;
    this.#begin(id, "second_look", answers);
    cue("second_look");
    words.textContent = say("second_look");
    keepButton.textContent = say("keep_answers");
    showPassing(say("second_look_saved"), "good");
    announce(words.textContent);
  }

  /**
   * Fetch an answered pair, with one request. Return its assignment with the stored answers as its draft. If that is refused, say
   * why and return null. Throws Trouble.
   *
   * @param {number} id
   * @returns {Promise<(Api.Reopened & { draft: Api.Draft }) | null>}
   */
  async reopen(id) {
    try {
      const assignment = await askFor(id);
      return { ...assignment, draft: { ...assignment.answers, viewing: assignment.viewing } };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      plainAddress();
      showPassing(error.message, "warn");
      return null;
    }
  }

  /**
   * Return the assignment of the open answer with new media addresses, or null if it can no longer be opened. Throws Trouble.
   *
   * @returns {Promise<Api.Assignment | null>}
   */
  async readdressed() {
    try {
      return this.#id === null ? null : await askFor(this.#id);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return null;
    }
  }

  /**
   * Begin to change the answers of an answered pair that is on the page.
   *
   * @param {Api.Assignment} assignment
   * @param {Api.Answers} answers
   * @param {{ at: number | Date, back: number | null }} options when it was answered, and the ordinal number of the pair to
   *   which the person goes back
   */
  reopened(assignment, answers, { at, back }) {
    this.#desk = null;
    this.#begin(assignment.id, "reopened", answers);
    words.textContent = say("reopened", { time: momentInWords(at) });
    keepButton.textContent = back === null ? say("leave_answers") : say("leave_answers_for", { n: back });
    announce(words.textContent);
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
    dispatchEvent(new Event("diptych:revising"));
  }

  /** Return whether these answers differ from the submitted ones. @param {Record<string, any>} body */
  isChanged(body) {
    const stored = Object.entries(JSON.parse(this.#stored));
    return stored.some(([name, value]) => JSON.stringify(value) !== JSON.stringify(body[name]));
  }

  /** Return the revision of a reopened answer, in the format of the API. @param {Api.Draft} body @returns {Api.Revision} */
  revision(body) {
    return { ...body, submission_id: this.#submissionId, reason: this.#reason };
  }

  /**
   * Send the answers of a second look as the next revision. Throws Refused.
   *
   * @param {Api.Draft} body
   * @returns {Promise<Api.Desk>} the next pairs
   */
  async finish(body) {
    await this.#send(body, this.isChanged(body));
    const desk = this.#desk ?? (await retryUntilResponse(() => send("POST", page.dataset.urlLease)));
    this.close();
    return desk;
  }

  /**
   * Leave the stored answers unchanged, whatever is in the form. Return the next pairs.
   *
   * @param {Api.Draft} body
   */
  async keep(body) {
    return this.finish({ ...body, ...JSON.parse(this.#stored) });
  }

  /**
   * End the change with another request. Return its response, which has the next pairs.
   *
   * @template {Api.Desk} T
   * @param {() => Promise<T>} request
   */
  async leaveBy(request) {
    const desk = await retryUntilResponse(request);
    this.close();
    return desk;
  }

  /** @param {Api.Draft} body @param {boolean} changed */
  async #send(body, changed) {
    const id = this.#id;
    if (id === null) throw new Error("No answer is being changed.");
    try {
      await retryUntilResponse(() => send("POST", addressOf("revise", id), this.revision(body)));
      showPassing(say(changed ? "revised" : "kept"), "good");
    } catch (error) {
      // A change stays on the page. Unchanged answers are stored already.
      if (changed || !(error instanceof Refused) || error.status !== 409) throw error;
      showPassing(say("refused", { detail: error.message }), "warn");
    }
  }

  /** Close the open answer. */
  close() {
    this.#id = this.#desk = null;
    strip.hidden = true;
    page.removeAttribute("data-revising-open");
    submit.textContent = submitWord;
    plainAddress();
  }
}

export const revising = new Revising();
