/** Where the eye should be: the current step, the open dimension, and why Submit is not ready yet. */

import { SIDES, all, around, given, one, say } from "../page/dom.js";
import { form } from "./answer_form.js";
import { cue } from "./presenting.js";
import { byTouch, settings } from "./settings.js";
import { seen } from "./videos.js";

/** @type {Api.Dimension[]} */
const DIMENSIONS = ["helpfulness", "harmlessness"];
/** @type {("1" | "2")[]} */
const STAGES = ["1", "2"];
const tabs = one("[data-tabs]");
const submit = one('button[data-action="submit"]');
const whyNot = one("[data-why-not]");
/** Whether the study takes an answer only when both videos were seen through. */
const seenFirst = one("[data-answers]").hasAttribute("data-seen-first");

class Guide {
  /** @type {Api.Dimension} the one that is open */
  dimension = "helpfulness";
  /** @type {Api.Dimension[]} */
  order = DIMENSIONS;
  /** @type {Step | null} the step that is marked */
  current = null;

  constructor() {
    tabs.addEventListener("click", (event) => {
      const tab = around(event, "[data-tab]");
      if (tab) this.open(dimensionOf(tab));
    });
    tabs.addEventListener("keydown", (event) => this.#arrow(event));
    document.addEventListener("focusin", (event) => {
      const step = around(event, "fieldset[data-step]");
      if (step && !step.disabled) this.#mark(step);
    });
  }

  /** A new pair: tabs in its order, the first one open. @param {Api.Dimension} dimensionFirst */
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
    this.#mark(this.firstMissing() ?? null);
  }

  /** The first step of the open dimension that waits for an answer. @param {Step | null} [after] */
  firstMissing(after = null) {
    const steps = form.stepsOf(this.dimension).filter((step) => !step.disabled);
    const start = after ? steps.indexOf(after) + 1 : 0;
    return [...steps.slice(start), ...steps.slice(0, start)].find((step) => !form.isAnswered(step));
  }

  /**
   * Moves on from an answered step: to the next one, the overall question, the other dimension, or Submit.
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
      submit.focus();
      return;
    }
    const other = this.order.find((dimension) => dimension !== this.dimension);
    if (other && form.missing(other) > 0) this.open(other);
    const first = this.firstMissing();
    if (first) this.focus(first);
  }

  /**
   * The step after `from` in the open dimension that can be answered, if there is one.
   *
   * @param {Step} from
   * @returns {Step | undefined}
   */
  following(from) {
    const steps = form.stepsOf(this.dimension).filter((step) => !step.disabled);
    return steps[steps.indexOf(from) + 1];
  }

  /** In the tag step: to the following step, answered or not. @param {Step} from */
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
    step.scrollIntoView({ block: "nearest" });
    this.#mark(step);
  }

  /** To the first question of the open dimension, answered or not, so that keys change its answer. */
  toFirst() {
    const first = form.stepsOf(this.dimension).find((step) => !step.disabled);
    if (first) this.focus(first);
  }

  /** Whose turn it is for the answer keys: the marked step while it is in sight, else the first without an answer. */
  turn() {
    const inSight = this.current && !this.current.disabled && this.current.dataset.dimension === this.dimension;
    return inSight ? this.current : (this.firstMissing() ?? null);
  }

  /** Brings tab states, locks and the reason at Submit up to date. */
  refresh() {
    for (const dimension of DIMENSIONS) {
      const left = STAGES.filter((stage) => !form.stageComplete(dimension, stage)).length;
      one(`[data-tab-state="${dimension}"]`).textContent = left ? say("stages_left", { n: left }) : say("dimension_done");
      one(`[data-tab="${dimension}"]`).toggleAttribute("data-done", left === 0);
    }
    const { ready } = this;
    submit.setAttribute("aria-disabled", String(!ready));
    whyNot.toggleAttribute("data-ready", ready);
    whyNot.textContent = ready ? say(settings.keys === "off" || byTouch.matches ? "ready_plain" : "ready") : this.#reasons().join(" · ");
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
    const reasons = this.order
      .filter((dimension) => form.missing(dimension))
      .map((dimension) => say(`why_${dimension}`, { n: form.missing(dimension) }));
    const unseen = this.#unseen;
    if (unseen.length) reasons.push(say(`why_unseen_${unseen.length > 1 ? "both" : unseen[0]}`));
    return reasons;
  }

  /** Somebody pressed Submit too soon: to what is missing, and the reason is marked. */
  nudge() {
    cue("not_ready");
    if (!form.complete) this.moveOn(this.current);
    whyNot.setAttribute("data-nudge", "");
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

/** @param {HTMLElement} tab */
const dimensionOf = (tab) => /** @type {Api.Dimension} */ (given(tab, "tab"));

export const guide = new Guide();
