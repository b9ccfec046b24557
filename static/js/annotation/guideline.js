/**
 * The study's guideline. It is a panel next to the pair, opened at the section of a question; the keys still work. If the
 * guideline has changed, a dialog shows the changes instead, because the person must read them before their next pair.
 */

import { anyOpen, showDialog } from "../page/dialogs.js";
import { all, given, one, onAction, say } from "../page/dom.js";
import { announce } from "../page/status.js";
import { Refused, SignedOut, Trouble, send } from "./api.js";
import { Contents } from "./contents.js";
import { navigation } from "./navigation.js";
import { Readings } from "./readings.js";
import { settings } from "./settings.js";

const panel = one("[data-guide]");
const main = one("main");
const dialog = one('dialog[data-dialog="guideline"]');
const button = one('button[data-action="guideline"]');
const state = one("[data-guide-state]", panel);
const columns = one("[data-guide-columns]", panel);
const foot = one("[data-guide-foot]", panel);
const versionChip = one("[data-guide-version]", panel);
const language = given(panel, "language");
/** Return whether a button was pressed by pointer. After a press by key, the focus moves to the text. @param {MouseEvent} event */
const isByPointer = ({ detail }) => detail > 0;

/** @typedef {() => Promise<() => void>} Show fetches a text, and returns a function that shows it */

class Guideline {
  /** @type {Map<number, Api.Guideline>} */
  #texts = new Map();
  #contents = new Contents(panel, (key) => this.#readings.look(key));
  #readings = new Readings(() => this.isOpen);
  /** The version with which the current pair was served. @type {number | null} */
  #version = null;
  #requests = 0;
  /** The section that the person asked for. @type {string | null} */
  #section = null;
  /** The element with the focus when the panel was opened. @type {Element | null} */
  #opener = null;
  /** The changes that the person is reading now, or null. @type {Api.Changes | null} */
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
      event.preventDefault(); // otherwise the same press would open it again
      dialog.close();
    });
  }

  /** Whether the guideline is on the page, next to the pair or in its dialog. */
  get isOpen() {
    return !panel.hidden;
  }

  /**
   * Begin a new pair, which keeps the version with which it was served. `earlier` is the report of a draft.
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

  /** Return what was read during the current pair. */
  report() {
    const read = this.#version === null ? undefined : this.#texts.get(this.#version);
    return { version: this.#version, language: read?.language ?? language, opened: this.#readings.report() };
  }

  /**
   * Open the panel at a section, or at the beginning with null.
   *
   * @param {string | null} section
   * @param {boolean} takesFocus whether the focus moves to the text; otherwise it stays, and the section's title is announced
   */
  open(section, takesFocus) {
    if (anyOpen()) return;
    if (!this.isOpen) this.#opener = document.activeElement;
    this.#section = section;
    this.#put(true);
    this.#mode("whole");
    foot.hidden = true;
    navigation.turn()?.scrollIntoView({ block: "nearest" }); // the pair has less space now
    this.#load(() => this.#showWhole(section, takesFocus));
  }

  /**
   * Open the section of the tag with the focus, or of the current question. If the panel is already open there, close it.
   */
  openHere() {
    const tag = /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest("[data-tag]"))?.dataset.tag;
    const step = navigation.turn()?.dataset.step ?? null;
    this.#toggle(tag ? `tag-${tag}` : step?.startsWith("tags-") ? "tags" : step);
  }

  /** @param {string | null} section @param {MouseEvent} [event] the press of a button; omitted for a single key */
  #toggle(section, event) {
    if (this.isOpen && this.#section === section) this.close(event);
    else this.open(section, event !== undefined && !isByPointer(event));
  }

  /** Close the panel or the dialog. @param {MouseEvent} [event] the press of a button; omitted for a single key */
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
    else navigation.turn()?.focus({ preventScroll: true });
  }

  #closed() {
    this.#requests += 1; // ignore a text that is still being fetched
    this.#readings.look(null);
    this.#unread = null;
    this.#put(false);
    main.append(panel);
  }

  /** @param {boolean} shown */
  #put(shown) {
    panel.hidden = !shown;
    document.body.toggleAttribute("data-guide-open", shown && !dialog.open);
    button.setAttribute("aria-expanded", String(shown));
  }

  /** Open the dialog with the changes that the person must read before their next pair. */
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
   * Return a section of the current pair's text, or null if it cannot be fetched now.
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

  /** Note that a section was read at another place of the page. @param {string} key @param {number} seconds */
  noteRead(key, seconds) {
    this.#readings.add(key, seconds);
  }

  /** @param {"whole" | "changes"} mode */
  #mode(mode) {
    panel.dataset.mode = mode;
    for (const part of all("[data-guide-mode]", panel)) part.hidden = part.dataset.guideMode !== mode;
  }

  /**
   * Fetch and show a text, or say why it cannot be shown. A later call replaces an earlier one.
   *
   * @param {Show} show
   */
  async #load(show) {
    this.#requests += 1;
    const request = this.#requests;
    versionChip.hidden = columns.hidden = true;
    this.#say(say("guide_loading"));
    try {
      const painted = await show();
      if (request !== this.#requests) return false;
      this.#say("");
      columns.hidden = false;
      painted();
      return true;
    } catch (error) {
      if (request === this.#requests) this.#failed(error, show);
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

  /** Switch between the changes and the whole text. */
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

  /** @param {number | null} version null: the current one @returns {Promise<Api.Guideline>} */
  async #text(version) {
    const known = version === null ? undefined : this.#texts.get(version);
    if (known) return known;
    /** @type {Api.Guideline} */
    const text = await send("GET", `${panel.dataset.url}?language=${language}${version ? `&version=${version}` : ""}`);
    this.#texts.set(text.version, text);
    return text;
  }

  /** Confirm that the person has read the changes. Return whether the server has recorded that. */
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
   * Show one line above the text. With `show`, add a button that tries it again.
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

/** Return the language tag for HTML. @param {string} code */
const tagOf = (code) => (code === "zh-hans" ? "zh-Hans" : code);

export const guideline = new Guideline();
