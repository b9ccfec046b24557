/** The study's guideline in place: opened at the section of a question, or with what changed since it was last read. */

import { Refused, SignedOut, Trouble, send } from "./api.js";
import { Contents } from "./contents.js";
import { all, one, onAction, say } from "../page/dom.js";
import { onShow, reportWith } from "./pair.js";
import { Readings } from "./readings.js";
import { settings } from "./settings.js";

const dialog = one('[data-dialog="guideline"]');
const state = one("[data-guide-state]", dialog);
const columns = one("[data-guide-columns]", dialog);
const foot = one("[data-guide-foot]", dialog);
const versionChip = one("[data-guide-version]", dialog);
const { language } = dialog.dataset;

export class Guideline {
  #onRead;
  #turn;
  #texts = new Map();
  #contents = new Contents(dialog, (key) => this.#readings.look(key));
  #readings = new Readings(() => dialog.open);
  #version = null;
  #asked = 0;
  /** What has changed and is not read yet, while the person is at it; else null. */
  #unread = null;
  #confirming = false;

  /** `onRead()` when a changed guideline was read; `turn()`: the step of the answers whose turn it is, or null. */
  constructor({ onRead, turn }) {
    this.#onRead = onRead;
    this.#turn = turn;
    onAction("guideline", () => this.open());
    onAction("ask-guideline", (button) => this.open(button.dataset.section));
    onAction("read-guideline", () => this.openChanges());
    onAction("guideline-other", () => this.#other());
    onAction("guideline-read", () => this.#confirm());
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
    onShow((assignment, draft) => this.#attend(assignment, draft?.viewing?.guideline));
    reportWith(() => ({ viewing: { guideline: this.#report() } }));
  }

  /** A new pair, which goes on under the version it was given with; `earlier` is what a draft reported of it. */
  #attend(assignment, earlier) {
    this.#version = assignment.guideline_version;
    this.#readings.reset(earlier?.opened);
  }

  #report() {
    const read = this.#texts.get(this.#version);
    return { version: this.#version, language: read?.language ?? language, opened: this.#readings.report() };
  }

  /** Opens at a section, or from its beginning. */
  open(section = null) {
    if (this.#begin("whole")) this.#load(() => this.#showWhole(section));
  }

  /** Opens at the section of the tag that has the focus, else of the question whose turn it is. */
  openHere() {
    const tag = document.activeElement.closest("[data-tag]")?.dataset.tag;
    const step = this.#turn()?.dataset.step ?? null;
    this.open(tag ? `tag-${tag}` : step?.startsWith("tags-") ? "tags" : step);
  }

  /** Opens with what the person has to read before their next pair. */
  openChanges() {
    if (this.#begin("changes")) this.#load(() => this.#showChanges());
  }

  #begin(mode) {
    if (one("dialog[open]")) return false;
    this.#mode(mode);
    foot.hidden = true;
    dialog.showModal();
    return true;
  }

  #mode(mode) {
    dialog.dataset.mode = mode;
    for (const part of all("[data-guide-mode]", dialog)) part.hidden = part.dataset.guideMode !== mode;
  }

  /** Runs what fetches and then shows a text, or says what keeps it from being there. A later call overtakes it. */
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

  async #showWhole(section) {
    const text = await this.#text(this.#unread?.version ?? this.#version);
    return () => {
      this.#head(text);
      this.#contents.show(text.sections, section);
    };
  }

  async #showChanges() {
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

  #head(text) {
    versionChip.hidden = false;
    versionChip.textContent = say("guide_version", { n: text.version });
    columns.lang = text.language === "zh-hans" ? "zh-Hans" : text.language;
    if (text.language !== language) this.#say(say("guide_other_language"));
  }

  async #text(version) {
    const known = this.#texts.get(version);
    if (known) return known;
    const text = await send("GET", `${dialog.dataset.url}?language=${language}${version ? `&version=${version}` : ""}`);
    this.#texts.set(text.version, text);
    return text;
  }

  async #confirm() {
    if (this.#confirming) return;
    this.#confirming = true;
    try {
      await send("POST", dialog.dataset.urlRead, { version: this.#unread.version });
      dialog.close();
      this.#onRead();
    } catch (error) {
      if (!dialog.open) return;
      if (error instanceof Refused && error.status === 409) await this.#changedAgain();
      else this.#failed(error, null);
    } finally {
      this.#confirming = false;
    }
  }

  async #changedAgain() {
    this.#mode("changes");
    if (await this.#load(() => this.#showChanges())) this.#say(say("guide_changed_again"));
  }

  #failed(error, show) {
    if (error instanceof SignedOut) this.#say(say("guide_signed_out"), show);
    else if (error instanceof Trouble) this.#say(say("guide_unreachable"), show);
    else if (error instanceof Refused) this.#say(say("refused", { detail: error.message }), show);
    else throw error;
  }

  /** One line above the text; with `show`, and a way to try that again. */
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
