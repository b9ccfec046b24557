/** The answer sheet: what the form says, as the API's answers and back. Values in the form are sides. */

import { SIDES, all, one } from "./dom.js";

const OTHER = { video_0: "video_1", video_1: "video_0" };

export class Sheet {
  #form = one("[data-answers]");
  #left = "video_0";
  #history = [];

  constructor() {
    this.steps = all("[data-step]", this.#form);
  }

  /** An empty sheet for a pair: `left` is the video on the left; questions and tags in the person's orders. */
  reset({ left, question_order: questionOrder, tag_order: tagOrder }) {
    this.#left = left;
    this.#history = [];
    this.#form.reset();
    const rows = one("[data-questions]", this.#form);
    rows.append(...questionOrder.map((key) => this.step(key)));
    for (const grid of all("[data-tags]", this.#form)) {
      grid.append(...tagOrder.map((key) => one(`input[value="${key}"]`, grid).closest("label")));
    }
    this.steps = all("[data-step]", this.#form);
    this.settle();
  }

  step(key) {
    return one(`[data-step="${key}"]`, this.#form);
  }

  stepsOf(dimension, stage) {
    return this.steps.filter((step) => step.dataset.dimension === dimension && (!stage || step.dataset.stage === stage));
  }

  isAnswered(step) {
    return one("input:checked", step) !== null;
  }

  stageComplete(dimension, stage) {
    return this.stepsOf(dimension, stage).every((step) => this.isAnswered(step));
  }

  /** How many of a dimension's steps have no answer. */
  missing(dimension) {
    return this.stepsOf(dimension).filter((step) => !this.isAnswered(step)).length;
  }

  get complete() {
    return this.steps.every((step) => this.isAnswered(step));
  }

  get touched() {
    return this.steps.some((step) => this.isAnswered(step));
  }

  /** Sets an answer as if it had been pressed: the same events follow. */
  choose(step, value) {
    const input = one(`input[value="${value}"]`, step);
    if (!input || input.matches(":disabled")) return false;
    if (input.type === "radio" && input.checked) return true;
    input.click();
    return true;
  }

  /** Keeps the sheet's rules after `input` changed: “none” and tags exclude each other; remembers how to go back. */
  changed(input) {
    const step = input.closest("[data-step]");
    this.#history.push([step, this.#before.get(step)]);
    if (input.type === "checkbox" && input.checked) {
      const isNone = input.name.startsWith("none-");
      for (const box of all("input:checked", step)) {
        if (box !== input && (isNone || box.name.startsWith("none-"))) box.checked = false;
      }
    }
    this.settle();
    return step;
  }

  /** Takes the last answer back; the step it belongs to, or null. */
  undo() {
    const last = this.#history.pop();
    if (!last) return null;
    const [step, values] = last;
    for (const input of all("input", step)) input.checked = values.includes(input.value);
    this.settle();
    return step;
  }

  #before = new Map();

  #remember() {
    for (const step of this.steps) this.#before.set(step, all("input:checked", step).map((input) => input.value));
  }

  /** Opens and closes the second stages, and notes the state that “one answer back” returns to. */
  settle() {
    for (const step of this.steps) {
      if (step.dataset.stage === "2") step.disabled = !this.stageComplete(step.dataset.dimension, "1");
    }
    this.#remember();
  }

  /** Puts a draft's answers into the form. */
  fill(draft) {
    const { helpfulness = {}, harmlessness = {} } = draft ?? {};
    for (const step of this.stepsOf("helpfulness", "1")) this.#tick(step, this.#toSide(helpfulness[step.dataset.step]));
    this.#tick(this.step("helpfulness"), this.#toSide(helpfulness.overall));
    for (const side of SIDES) {
      const tags = harmlessness[this.videoOn(side)]?.tags;
      const values = tags?.length ? tags : tags ? ["none"] : [];
      for (const value of values) this.#tick(this.step(`tags-${side}`), value);
    }
    this.#tick(this.step("harmlessness"), this.#toSide(harmlessness.overall));
    this.settle();
  }

  #tick(step, value) {
    const input = value && one(`input[value="${value}"]`, step);
    if (input) input.checked = true;
  }

  /** The answers in the API's words; null where there is none. */
  answers() {
    const tags = (side) => {
      const values = all("input:checked", this.step(`tags-${side}`)).map((input) => input.value);
      return values.length ? values.filter((value) => value !== "none") : null;
    };
    const helpfulness = {};
    for (const step of this.stepsOf("helpfulness", "1")) helpfulness[step.dataset.step] = this.#answer(step);
    helpfulness.overall = this.#answer(this.step("helpfulness"));
    const harmlessness = { overall: this.#answer(this.step("harmlessness")) };
    for (const side of SIDES) harmlessness[this.videoOn(side)] = { tags: tags(side) };
    return { helpfulness, harmlessness };
  }

  #answer(step) {
    const value = step.disabled ? null : one("input:checked", step)?.value;
    return value === "tie" ? value : value ? this.videoOn(value) : null;
  }

  videoOn(side) {
    return side === "left" ? this.#left : OTHER[this.#left];
  }

  #toSide(value) {
    if (!value || value === "tie") return value;
    return value === this.#left ? "left" : "right";
  }
}
