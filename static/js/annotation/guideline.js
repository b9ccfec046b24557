/** The study's guideline in place: opened at the section of a question, or with what changed since it was last read. */

import { anyOpen } from "../page/dialogs.js";
import { all, given, one, onAction, say } from "../page/dom.js";
import { Refused, SignedOut, Trouble, send } from "./api.js";
import { Contents } from "./contents.js";
import { guide } from "./guide.js";
import { Readings } from "./readings.js";
import { settings } from "./settings.js";

const dialog = one('dialog[data-dialog="guideline"]');
const state = one("[data-guide-state]", dialog);
const columns = one("[data-guide-columns]", dialog);
const foot = one("[data-guide-foot]", dialog);
const versionChip = one("[data-guide-version]", dialog);
const language = given(dialog, "language");

/** @typedef {() => Promise<() => void>} Show fetches a text, and returns what then puts it on the page */

class Guideline {
  /** @type {Map<number, Api.Guideline>} */
  #texts = new Map();
  #contents = new Contents(dialog, (key) => this.#readings.look(key));
  #readings = new Readings(() => dialog.open);
  /** The version with which the current pair was given. @type {number | null} */
  #version = null;
  #asked = 0;
  /** What has changed and is not read yet, while the person is at it; else null. @type {Api.Changes | null} */
  #unread = null;
  #confirming = false;

  constructor() {
    onAction("guideline", () => this.open());
    onAction("ask-guideline", (button) => this.open(given(button, "section")));
    onAction("read-guideline", () => this.openChanges());
    onAction("guideline-other", () => this.#other());
    dialog.addEventListener("close", () => {
      this.#asked += 1; // what is still on its way comes to nothing
      this.#readings.look(null);
      this.#unread = null;
    });
    dialog.addEventListener("keydown", (event) => {
      const plain = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat);
      if (event.code !== "KeyG" || !plain || settings.keys === "off") return;
      event.preventDefault(); // or the same press would open it again
      dialog.close();
    });
  }

  /**
   * A new pair, which goes on under the version it was given with; `earlier` is what a draft reported of it.
   *
   * @param {Api.Assignment} assignment
   * @param {Api.Viewing["guideline"]} earlier
   */
  attend(assignment, earlier) {
    this.#version = assignment.guideline_version;
    this.#readings.reset(earlier?.opened);
  }

  /** What was read during the current pair. */
  report() {
    const read = this.#version === null ? undefined : this.#texts.get(this.#version);
    return { version: this.#version, language: read?.language ?? language, opened: this.#readings.report() };
  }

  /** Opens at a section, or from its beginning. @param {string | null} [section] */
  open(section = null) {
    if (this.#begin("whole")) this.#load(() => this.#showWhole(section));
  }

  /** Opens at the section of the tag that has the focus, else of the question whose turn it is. */
  openHere() {
    const tag = /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest("[data-tag]"))?.dataset.tag;
    const step = guide.turn()?.dataset.step ?? null;
    this.open(tag ? `tag-${tag}` : step?.startsWith("tags-") ? "tags" : step);
  }

  /** Opens with what the person has to read before their next pair. */
  openChanges() {
    if (this.#begin("changes")) this.#load(() => this.#showChanges());
  }

  /** @param {"whole" | "changes"} mode */
  #begin(mode) {
    if (anyOpen()) return false;
    this.#mode(mode);
    foot.hidden = true;
    dialog.showModal();
    return true;
  }

  /** @param {"whole" | "changes"} mode */
  #mode(mode) {
    dialog.dataset.mode = mode;
    for (const part of all("[data-guide-mode]", dialog)) part.hidden = part.dataset.guideMode !== mode;
  }

  /**
   * Runs what fetches and then shows a text, or says what keeps it from being there. A later call overtakes it.
   *
   * @param {Show} show
   */
  async #load(show) {
    this.#asked += 1;
    const asked = this.#asked;
    versionChip.hidden = columns.hidden = true;
    this.#say(say("guide_loading"));
    try {
      const painted = await show();
      if (asked !== this.#asked) return false;
      this.#say("");
      columns.hidden = false;
      painted();
      return true;
    } catch (error) {
      if (asked === this.#asked) this.#failed(error, show);
      return false;
    }
  }

  /** @param {string | null} section */
  async #showWhole(section) {
    const text = await this.#text(this.#unread?.version ?? this.#version);
    return () => {
      this.#head(text);
      this.#contents.show(text.sections, section);
    };
  }

  async #showChanges() {
    /** @type {Api.Changes} */
    const unread = await send("GET", `${dialog.dataset.urlChanges}?language=${language}`);
    const { sections, since } = unread;
    return () => {
      this.#unread = unread;
      foot.hidden = false;
      this.#head(unread);
      if (since === null) this.#mode("whole");
      one('[data-action="guideline-other"]', foot).hidden = since === null;
      if (!sections.length) this.#say(say("guide_same_words"));
      this.#contents.show(sections, null);
    };
  }

  /** Between what changed and the whole text. */
  #other() {
    const mode = dialog.dataset.mode === "changes" ? "whole" : "changes";
    this.#mode(mode);
    this.#load(mode === "whole" ? () => this.#showWhole(this.#contents.current) : () => this.#showChanges());
  }

  /** @param {Api.Guideline} text */
  #head(text) {
    versionChip.hidden = false;
    versionChip.textContent = say("guide_version", { n: text.version });
    columns.lang = text.language === "zh-hans" ? "zh-Hans" : text.language;
    if (text.language !== language) this.#say(say("guide_other_language"));
  }

  /** @param {number | null} version null: the one in force @returns {Promise<Api.Guideline>} */
  async #text(version) {
    const known = version === null ? undefined : this.#texts.get(version);
    if (known) return known;
    /** @type {Api.Guideline} */
    const text = await send("GET", `${dialog.dataset.url}?language=${language}${version ? `&version=${version}` : ""}`);
    this.#texts.set(text.version, text);
    return text;
  }

  /** Confirms that the person has read what changed. Return whether the server has taken that. */
  async confirm() {
    if (this.#confirming || !this.#unread) return false;
    this.#confirming = true;
    try {
      await send("POST", dialog.dataset.urlRead, { version: this.#unread.version });
      dialog.close();
      return true;
    } catch (error) {
      if (!dialog.open) return false;
      if (error instanceof Refused && error.status === 409) await this.#changedAgain();
      else this.#failed(error, null);
      return false;
    } finally {
      this.#confirming = false;
    }
  }

  async #changedAgain() {
    this.#mode("changes");
    if (await this.#load(() => this.#showChanges())) this.#say(say("guide_changed_again"));
  }

  /** @param {unknown} error @param {Show | null} show */
  #failed(error, show) {
    if (error instanceof SignedOut) this.#say(say("guide_signed_out"), show);
    else if (error instanceof Trouble) this.#say(say("guide_unreachable"), show);
    else if (error instanceof Refused) this.#say(say("refused", { detail: error.message }), show);
    else throw error;
  }

  /**
   * One line above the text; with `show`, and a way to try that again.
   *
   * @param {string} sentence
   * @param {Show | null} [show]
   */
  #say(sentence, show = null) {
    state.textContent = sentence;
    state.hidden = !sentence;
    if (!show) return;
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: say("try_again") });
    again.className = "button";
    again.addEventListener("click", () => this.#load(show));
    state.append(" ", again);
  }
}

export const guideline = new Guideline();
