/** Where the eye should be: the current step, the open dimension, and why Submit is not ready yet. */

import { all, one, say } from "./dom.js";
import { settings } from "./settings.js";

const DIMENSIONS = ["helpfulness", "harmlessness"];
const tabs = one("[data-tabs]");
const submit = one('[data-action="submit"]');
const whyNot = one("[data-why-not]");

export class Guide {
  #sheet;
  #onStage;
  dimension = "helpfulness";
  current = null;

  /** `onStage(dimension)` is called when another dimension is opened. */
  constructor(sheet, onStage) {
    this.#sheet = sheet;
    this.#onStage = onStage;
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
    const ready = this.#sheet.complete;
    submit.setAttribute("aria-disabled", String(!ready));
    whyNot.toggleAttribute("data-ready", ready);
    whyNot.textContent = ready
      ? say(settings.keys === "off" ? "ready_plain" : "ready")
      : this.order
          .filter((dimension) => this.#sheet.missing(dimension))
          .map((dimension) => say(`why_${dimension}`, { n: this.#sheet.missing(dimension) }))
          .join(" · ");
  }

  #mark(step) {
    this.current?.removeAttribute("data-current");
    this.current = step;
    step?.setAttribute("data-current", "");
  }

  #arrow(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -1, End: 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const buttons = all("[data-tab]", tabs);
    const at = buttons.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : at + steps[event.key];
    const tab = buttons[(next + buttons.length) % buttons.length];
    this.open(tab.dataset.tab);
    tab.focus();
  }
}
