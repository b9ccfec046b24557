/**
 * The study's guideline: a panel beside the pair, opened at the section of a question; the keys go on working. What changed
 * since the person last read it stands in a dialog instead, because they must read it before their next pair.
 */

import { anyOpen, showDialog } from "../page/dialogs.js";
import { all, given, one, onAction, say } from "../page/dom.js";
import { announce } from "../page/status.js";
import { Refused, SignedOut, Trouble, send } from "./api.js";
import { Contents } from "./contents.js";
import { guide } from "./guide.js";
import { Readings } from "./readings.js";
import { settings } from "./settings.js";

const panel = one("[data-guide]");
const beside = one("main");
const dialog = one('dialog[data-dialog="guideline"]');
const button = one('button[data-action="guideline"]');
const state = one("[data-guide-state]", panel);
const columns = one("[data-guide-columns]", panel);
const foot = one("[data-guide-foot]", panel);
const versionChip = one("[data-guide-version]", panel);
const language = given(panel, "language");
/** Whether a button was pressed by a pointer; by a key, the focus belongs where the keyboard goes on. @param {MouseEvent} event */
const isByPointer = ({ detail }) => detail > 0;

/** @typedef {() => Promise<() => void>} Show fetches a text, and returns what then puts it on the page */

class Guideline {
  /** @type {Map<number, Api.Guideline>} */
  #texts = new Map();
  #contents = new Contents(panel, (key) => this.#readings.look(key));
  #readings = new Readings(() => this.isOpen);
  /** The version with which the current pair was given. @type {number | null} */
  #version = null;
  #asked = 0;
  /** The section that was asked for. @type {string | null} */
  #section = null;
  /** What had the focus when the panel opened. @type {Element | null} */
  #opener = null;
  /** What has changed and is not read yet, while the person is at it; else null. @type {Api.Changes | null} */
  #unread = null;
  #confirming = false;

  constructor() {
    onAction("guideline", (_, event) => (this.isOpen ? this.close(event) : this.open(null, !isByPointer(event))));
    onAction("ask-guideline", (ask, event) => this.#toggle(given(ask, "section"), event));
    onAction("close-guideline", (_, event) => this.close(event));
    onAction("read-guideline", () => this.openChanges());
    onAction("guideline-other", () => this.#other());
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("keydown", (event) => {
      const plain = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat);
      if (event.code !== "KeyG" || !plain || settings.keys === "off") return;
      event.preventDefault(); // or the same press would open it again
      dialog.close();
    });
  }

  /** Whether the guideline is on the page, beside the pair or in its dialog. */
  get isOpen() {
    return !panel.hidden;
  }

  /**
   * A new pair, which goes on under the version it was given with; `earlier` is what a draft reported of it.
   *
   * @param {Api.Assignment} assignment
   * @param {Api.Viewing["guideline"]} earlier
   */
  attend(assignment, earlier) {
    const isOther = this.#version !== assignment.guideline_version;
    this.#version = assignment.guideline_version;
    this.#readings.reset(earlier?.opened);
    if (!this.isOpen) return;
    if (isOther) this.#load(() => this.#showWhole(this.#contents.current));
    else this.#readings.look(this.#contents.current);
  }

  /** What was read during the current pair. */
  report() {
    const read = this.#version === null ? undefined : this.#texts.get(this.#version);
    return { version: this.#version, language: read?.language ?? language, opened: this.#readings.report() };
  }

  /**
   * Opens beside the pair at a section, or from the beginning.
   *
   * @param {string | null} section
   * @param {boolean} takesFocus whether the focus goes to the text; else it stays, and the section's title is read out
   */
  open(section, takesFocus) {
    if (anyOpen()) return;
    if (!this.isOpen) this.#opener = document.activeElement;
    this.#section = section;
    this.#put(true);
    this.#mode("whole");
    foot.hidden = true;
    guide.turn()?.scrollIntoView({ block: "nearest" }); // the pair has less room now
    this.#load(() => this.#showWhole(section, takesFocus));
  }

  /**
   * Opens at the section of the tag that has the focus, else of the question whose turn it is. Closes if it was opened there
   * before.
   */
  openHere() {
    const tag = /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest("[data-tag]"))?.dataset.tag;
    const step = guide.turn()?.dataset.step ?? null;
    this.#toggle(tag ? `tag-${tag}` : step?.startsWith("tags-") ? "tags" : step);
  }

  /** @param {string | null} section @param {MouseEvent} [event] the press of a button; left out for a single key */
  #toggle(section, event) {
    if (this.isOpen && this.#section === section) this.close(event);
    else this.open(section, event !== undefined && !isByPointer(event));
  }

  /** Closes the panel or the dialog. @param {MouseEvent} [event] the press of a button; left out for a single key */
  close(event) {
    if (dialog.open) {
      dialog.close();
      return;
    }
    const hadFocus = panel.contains(document.activeElement);
    this.#closed();
    if (!hadFocus) return;
    const byKey = event !== undefined && !isByPointer(event);
    if (byKey && this.#opener instanceof HTMLElement && this.#opener.isConnected) this.#opener.focus();
    else guide.turn()?.focus({ preventScroll: true });
  }

  #closed() {
    this.#asked += 1; // what is still on its way comes to nothing
    this.#readings.look(null);
    this.#unread = null;
    this.#put(false);
    beside.append(panel);
  }

  /** @param {boolean} shown */
  #put(shown) {
    panel.hidden = !shown;
    document.body.toggleAttribute("data-guide-open", shown && !dialog.open);
    button.setAttribute("aria-expanded", String(shown));
  }

  /** Opens with what the person has to read before their next pair. */
  openChanges() {
    if (anyOpen()) return;
    this.#mode("changes");
    foot.hidden = true;
    dialog.append(panel);
    showDialog(dialog);
    this.#put(true);
    this.#load(() => this.#showChanges());
  }

  /**
   * Return a section of the text that belongs to the current pair, or null if it cannot be had now.
   *
   * @param {string} key
   */
  async section(key) {
    try {
      const { sections, language: code } = await this.#text(this.#version);
      const section = sections.find((each) => each.key === key);
      return section ? { html: section.html, lang: tagOf(code) } : null;
    } catch (error) {
      if (error instanceof Refused || error instanceof Trouble || error instanceof SignedOut) return null;
      throw error;
    }
  }

  /** A section was read at another place of the page. @param {string} key @param {number} seconds */
  noteRead(key, seconds) {
    this.#readings.add(key, seconds);
  }

  /** @param {"whole" | "changes"} mode */
  #mode(mode) {
    panel.dataset.mode = mode;
    for (const part of all("[data-guide-mode]", panel)) part.hidden = part.dataset.guideMode !== mode;
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

  /** @param {string | null} key @param {boolean} [takesFocus] */
  async #showWhole(key, takesFocus = dialog.open) {
    const text = await this.#text(this.#unread?.version ?? this.#version);
    return () => {
      this.#head(text);
      this.#contents.show(text.sections, key, takesFocus);
      const title = text.sections.find((section) => section.key === key)?.title;
      if (!takesFocus && title) announce(say("guide_opened", { title }));
    };
  }

  async #showChanges() {
    /** @type {Api.Changes} */
    const unread = await send("GET", `${panel.dataset.urlChanges}?language=${language}`);
    const { sections, since } = unread;
    return () => {
      this.#unread = unread;
      foot.hidden = false;
      this.#head(unread);
      if (since === null) this.#mode("whole");
      one('[data-action="guideline-other"]', foot).hidden = since === null;
      if (!sections.length) this.#say(say("guide_same_words"));
      this.#contents.show(sections, null, true);
    };
  }

  /** Between what changed and the whole text. */
  #other() {
    const mode = panel.dataset.mode === "changes" ? "whole" : "changes";
    this.#mode(mode);
    this.#load(mode === "whole" ? () => this.#showWhole(this.#contents.current) : () => this.#showChanges());
  }

  /** @param {Api.Guideline} text */
  #head(text) {
    versionChip.hidden = false;
    versionChip.textContent = say("guide_version", { n: text.version });
    columns.lang = tagOf(text.language);
    if (text.language !== language) this.#say(say("guide_other_language"));
  }

  /** @param {number | null} version null: the one in force @returns {Promise<Api.Guideline>} */
  async #text(version) {
    const known = version === null ? undefined : this.#texts.get(version);
    if (known) return known;
    /** @type {Api.Guideline} */
    const text = await send("GET", `${panel.dataset.url}?language=${language}${version ? `&version=${version}` : ""}`);
    this.#texts.set(text.version, text);
    return text;
  }

  /** Confirms that the person has read what changed. Return whether the server has taken that. */
  async confirm() {
    if (this.#confirming || !this.#unread) return false;
    this.#confirming = true;
    try {
      await send("POST", panel.dataset.urlRead, { version: this.#unread.version });
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

/** The language as HTML writes it. @param {string} code */
const tagOf = (code) => (code === "zh-hans" ? "zh-Hans" : code);

export const guideline = new Guideline();
