/** Where the eye should be: the current step, the open dimension, and why Submit is not ready yet. */

import { SIDES, all, one, say } from "../page/dom.js";
import { cue } from "./presenting.js";
import { byTouch, settings } from "./settings.js";

const DIMENSIONS = ["helpfulness", "harmlessness"];
const tabs = one("[data-tabs]");
const submit = one('[data-action="submit"]');
const whyNot = one("[data-why-not]");
/** Whether the study takes an answer only when both videos were seen through. */
const seenFirst = one("[data-answers]").hasAttribute("data-seen-first");

export class Guide {
  #sheet;
  #onStage;
  #seen;
  dimension = "helpfulness";
  current = null;

  /** `onStage(dimension)` is called when another dimension is opened; `seen(side)`: whether it was seen through. */
  constructor(sheet, onStage, seen) {
    this.#sheet = sheet;
    this.#onStage = onStage;
    this.#seen = seen;
    tabs.addEventListener("click", (event) => {
      const tab = event.target.closest("[data-tab]");
      if (tab) this.open(tab.dataset.tab);
    });
    tabs.addEventListener("keydown", (event) => this.#arrow(event));
    document.addEventListener("focusin", (event) => {
      const step = event.target.closest?.("[data-step]");
      if (step && !step.disabled) this.#mark(step);
    });
  }

  /** A new pair: tabs in its order, the first one open. */
  reset(dimensionFirst) {
    tabs.prepend(one(`[data-tab="${dimensionFirst}"]`, tabs));
    this.order = [dimensionFirst, DIMENSIONS.find((dimension) => dimension !== dimensionFirst)];
    const started = this.order.find((dimension) => this.#sheet.missing(dimension) > 0) ?? dimensionFirst;
    this.open(started);
    this.refresh();
  }

  open(dimension) {
    this.dimension = dimension;
    for (const tab of all("[data-tab]", tabs)) {
      const chosen = tab.dataset.tab === dimension;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== dimension;
    this.#mark(this.firstMissing() ?? null);
    this.#onStage(dimension);
  }

  /** The first step of the open dimension that waits for an answer. */
  firstMissing(after = null) {
    const steps = this.#sheet.stepsOf(this.dimension).filter((step) => !step.disabled);
    const start = after ? steps.indexOf(after) + 1 : 0;
    return [...steps.slice(start), ...steps.slice(0, start)].find((step) => !this.#sheet.isAnswered(step));
  }

  /** Moves on from an answered step: to the next one, the overall question, the other dimension, or Submit. */
  advance(from) {
    if (settings.advance) this.moveOn(from);
  }

  moveOn(from) {
    const next = this.firstMissing(from);
    if (next) return this.focus(next);
    if (this.#sheet.complete) return submit.focus();
    const other = this.order.find((dimension) => dimension !== this.dimension);
    if (this.#sheet.missing(other) > 0) this.open(other);
    const first = this.firstMissing();
    return first ? this.focus(first) : undefined;
  }

  /** The step after `from` in the open dimension that can be answered, if there is one. */
  following(from) {
    const steps = this.#sheet.stepsOf(this.dimension).filter((step) => !step.disabled);
    return steps[steps.indexOf(from) + 1];
  }

  /** In the tag step: to the following step, answered or not. */
  pass(from) {
    const following = this.following(from);
    if (following) this.focus(following);
    else this.moveOn(from);
  }

  focus(step) {
    if (step.dataset.dimension !== this.dimension) this.open(step.dataset.dimension);
    step.focus({ preventScroll: true });
    step.scrollIntoView({ block: "nearest" });
    this.#mark(step);
  }

  /** Whose turn it is for the answer keys: the marked step while it is in sight, else the first without an answer. */
  turn() {
    const inSight = this.current && !this.current.disabled && this.current.dataset.dimension === this.dimension;
    return inSight ? this.current : (this.firstMissing() ?? null);
  }

  /** Brings tab states, locks and the reason at Submit up to date. */
  refresh() {
    for (const dimension of DIMENSIONS) {
      const left = ["1", "2"].filter((stage) => !this.#sheet.stageComplete(dimension, stage)).length;
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
    return this.#sheet.complete && this.#unseen.length === 0;
  }

  get #unseen() {
    return seenFirst ? SIDES.filter((side) => !this.#seen(side)) : [];
  }

  /** Why Submit is not ready yet, a reason each. */
  #reasons() {
    const reasons = this.order
      .filter((dimension) => this.#sheet.missing(dimension))
      .map((dimension) => say(`why_${dimension}`, { n: this.#sheet.missing(dimension) }));
    const unseen = this.#unseen;
    if (unseen.length) reasons.push(say(`why_unseen_${unseen.length > 1 ? "both" : unseen[0]}`));
    return reasons;
  }

  /** Somebody pressed Submit too soon: to what is missing, and the reason is marked. */
  nudge() {
    cue("not_ready");
    if (!this.#sheet.complete) this.moveOn(this.current);
    whyNot.setAttribute("data-nudge", "");
  }

  #mark(step) {
    this.current?.removeAttribute("data-current");
    this.current = step;
    step?.setAttribute("data-current", "");
  }

  #arrow(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -1, End: 1 };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const buttons = all("[data-tab]", tabs);
    const at = buttons.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : at + steps[event.key];
    const tab = buttons[(next + buttons.length) % buttons.length];
    this.open(tab.dataset.tab);
    tab.focus();
  }
}
