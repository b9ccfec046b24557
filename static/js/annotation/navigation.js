/** Lead the person through the questions: the current step, the open dimension, and what is missing before Submit. */

import { SIDES, all, around, find, given, one, say } from "../page/dom.js";
import { showPassing, removePassing } from "../page/status.js";
import { form } from "./answer_form.js";
import { cue } from "./presentation.js";
import { byTouch, settings } from "./settings.js";
import { seen } from "./videos.js";

/** @type {Api.Dimension[]} */
const DIMENSIONS = ["helpfulness", "harmlessness"];
const tabs = one("[data-tabs]");
const submit = one('button[data-action="submit"]');
const whyNot = one("[data-why-not]");
/** Whether the study accepts an answer only after both videos were watched to the end. */
const seenFirst = one("[data-answers]").hasAttribute("data-seen-first");

/** What is beside Submit, or beside Save while an answer is being changed, once nothing is missing. */
function readyWords() {
  const word = document.body.hasAttribute("data-revising-open") ? "ready_change" : "ready";
  return say(settings.keys === "off" || byTouch.matches ? `${word}_plain` : word);
}

class Navigation {
  /** @type {Api.Dimension} the one that is open */
  dimension = "helpfulness";
  /** @type {Api.Dimension[]} */
  order = DIMENSIONS;
  /** @type {Step | null} the step that is marked */
  current = null;
  /** The last message of `nudge`. */
  #said = "";

  constructor() {
    tabs.addEventListener("click", (event) => {
      const tab = around(event, "[data-tab]");
      if (tab) this.open(dimensionOf(tab));
    });
    tabs.addEventListener("keydown", (event) => this.#arrow(event));
    addEventListener("diptych:revising", () => this.refresh()); // what is beside the button then says “save” too
    document.addEventListener("focusin", (event) => {
      const step = around(event, "fieldset[data-step]");
      if (step && !step.disabled) this.#mark(step);
    });
  }

  /** Begin a new pair, with the tabs in its order and the first unfinished one open. @param {Api.Dimension} dimensionFirst */
  reset(dimensionFirst) {
    tabs.prepend(one(`[data-tab="${dimensionFirst}"]`, tabs));
    this.order = [dimensionFirst, ...DIMENSIONS.filter((dimension) => dimension !== dimensionFirst)];
    const started = this.order.find((dimension) => form.missing(dimension) > 0) ?? dimensionFirst;
    this.open(started);
    this.refresh();
  }

  /** @param {Api.Dimension} dimension */
  open(dimension) {
    this.dimension = dimension;
    for (const tab of all("button[data-tab]", tabs)) {
      const chosen = tab.dataset.tab === dimension;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== dimension;
    this.#mark(this.firstMissing() ?? form.stepsOf(dimension).find((step) => !step.disabled) ?? null);
  }

  /** Open the other dimension at its first unanswered question. */
  openOther() {
    const other = this.order.find((dimension) => dimension !== this.dimension);
    if (other) this.open(other);
    if (this.current) this.focus(this.current);
  }

  /** Return the first unanswered step of the open dimension. @param {Step | null} [after] */
  firstMissing(after = null) {
    const steps = form.stepsOf(this.dimension).filter((step) => !step.disabled);
    const start = after ? steps.indexOf(after) + 1 : 0;
    return [...steps.slice(start), ...steps.slice(0, start)].find((step) => !form.isAnswered(step));
  }

  /**
   * Move on from an answered step to the next one, the overall question, or the other dimension. If everything is answered, the
   * focus stays. It never goes to Submit, because the next Space, meant to play, would submit.
   *
   * @param {Step} from
   */
  advance(from) {
    if (settings.advance) this.moveOn(from);
  }

  /** @param {Step | null} from */
  moveOn(from) {
    const next = this.firstMissing(from);
    if (next) {
      this.focus(next);
      return;
    }
    if (form.complete) {
      if (from) this.focus(from);
      return;
    }
    const other = this.order.find((dimension) => dimension !== this.dimension);
    if (other && form.missing(other) > 0) this.open(other);
    const first = this.firstMissing();
    if (first) this.focus(first);
  }

  /**
   * Return the next step after `from` in the open dimension that can be answered, or undefined.
   *
   * @param {Step} from
   * @returns {Step | undefined}
   */
  following(from) {
    const steps = form.stepsOf(this.dimension).filter((step) => !step.disabled);
    return steps[steps.indexOf(from) + 1];
  }

  /** Move from a tag step to the following step, whether it is answered or not. @param {Step} from */
  pass(from) {
    const following = this.following(from);
    if (following) this.focus(following);
    else this.moveOn(from);
  }

  /** @param {Step} step */
  focus(step) {
    const dimension = /** @type {Api.Dimension} */ (step.dataset.dimension);
    if (dimension !== this.dimension) this.open(dimension);
    step.focus({ preventScroll: true });
    bringIntoView(step);
    this.#mark(step);
  }

  /** Move to the first question of the open dimension, answered or not, so that keys change its answer. */
  toFirst() {
    const first = form.stepsOf(this.dimension).find((step) => !step.disabled);
    if (first) this.focus(first);
  }

  /** Return the step that the answer keys belong to: the marked step if it is visible, or the first unanswered one. */
  turn() {
    const isVisible = this.current && !this.current.disabled && this.current.dataset.dimension === this.dimension;
    return isVisible ? this.current : (this.firstMissing() ?? null);
  }

  /** Brings tab states, locks and the reason at Submit up to date. */
  refresh() {
    for (const dimension of DIMENSIONS) {
      const left = form.missing(dimension);
      one(`[data-tab-state="${dimension}"]`).textContent = left ? say("dimension_left", { n: left }) : say("dimension_done");
      one(`[data-tab="${dimension}"]`).toggleAttribute("data-done", left === 0);
    }
    const { ready } = this;
    submit.setAttribute("aria-disabled", String(!ready));
    whyNot.toggleAttribute("data-ready", ready);
    whyNot.setAttribute("aria-live", ready ? "polite" : "off"); // read out when all is answered: the focus does not go to Submit
    const words = ready ? readyWords() : this.#reasons().join(" · ");
    if (whyNot.textContent !== words) whyNot.textContent = words;
    if (ready) this.forgetNudge();
  }

  /** Whether the answers could be submitted as they are. */
  get ready() {
    return form.complete && this.#unseen.length === 0;
  }

  get #unseen() {
    return seenFirst ? SIDES.filter((side) => !seen(side)) : [];
  }

  /** Why Submit is not ready yet, a reason each. */
  #reasons() {
    const missing = this.order.reduce((sum, dimension) => sum + form.missing(dimension), 0); // the tabs say how many are in which
    const reasons = missing ? [say("why_answers", { n: missing })] : [];
    const unseen = this.#unseen;
    if (unseen.length) reasons.push(say(`why_unseen_${unseen.length > 1 ? "both" : unseen[0]}`));
    return reasons;
  }

  /** Go to the first thing that is missing, outline it and say what it is, after Submit was pressed too early. */
  nudge() {
    cue("not_ready");
    this.forgetNudge();
    whyNot.setAttribute("data-nudge", "");
    const step = this.order.flatMap((dimension) => form.stepsOf(dimension)).find((each) => !form.isAnswered(each));
    if (step) this.#leadTo(step);
    else this.#leadToVideos();
  }

  /** @param {Step} step */
  #leadTo(step) {
    this.focus(step);
    const row = form.yesNo && form.isTagStep(step) ? form.tagsOf(step).find((tag) => !find("input:checked", tag)) : null;
    if (row) {
      row.focus({ preventScroll: true });
      bringIntoView(row);
    }
    (row ?? step).setAttribute("data-missing", "");
    const question = (find("legend span", step) ?? one("legend", step)).textContent.trim();
    const tag = row && one("span[id]", row).textContent.trim();
    this.#say(say("still_to_answer", { question: tag ? say("question_tag", { question, tag }) : question }));
  }

  #leadToVideos() {
    const [first] = this.#unseen;
    const screen = one(`[data-screen="${first}"]`);
    screen.scrollIntoView({ block: "nearest" });
    for (const side of this.#unseen) one(`[data-screen="${side}"]`).setAttribute("data-missing", "");
    this.#say(say("still_to_watch", { reason: this.#reasons().join(" · ") }));
  }

  /** @param {string} words */
  #say(words) {
    this.#said = words;
    showPassing(words, "warn");
  }

  /** Remove the outline and the message of `nudge`. */
  forgetNudge() {
    removePassing(this.#said);
    this.#said = "";
    whyNot.removeAttribute("data-nudge");
    for (const part of all("[data-missing]")) part.removeAttribute("data-missing");
  }

  /** @param {Step | null} step */
  #mark(step) {
    this.current?.removeAttribute("data-current");
    this.current = step;
    step?.setAttribute("data-current", "");
  }

  /** @param {KeyboardEvent} event */
  #arrow(event) {
    const buttons = all("button[data-tab]", tabs);
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const tab = buttons[(next + buttons.length) % buttons.length];
    this.open(dimensionOf(tab));
    tab.focus();
  }
}

const player = one("[data-player]");

/** Scroll to a part of the form. On a narrow page, make sure that the videos do not cover it. @param {HTMLElement} part */
function bringIntoView(part) {
  part.scrollIntoView({ block: "nearest" });
  const covered = player.getBoundingClientRect().bottom - part.getBoundingClientRect().top;
  if (covered > 0 && getComputedStyle(player).position === "sticky") scrollBy({ top: -covered });
}

/** @param {HTMLElement} tab */
const dimensionOf = (tab) => /** @type {Api.Dimension} */ (given(tab, "tab"));

export const navigation = new Navigation();
