/** The answer sheet: what the form says, as the API's answers and back. Values in the form are sides. */

import { SIDES, all, one } from "../page/dom.js";

const OTHER = { video_0: "video_1", video_1: "video_0" };

export class Sheet {
  #form = one("[data-answers]");
  #left = "video_0";
  #history = [];
  #before = new Map();
  /** Whether each tag is asked yes or no, instead of checking all that apply. */
  yesNo = this.#form.dataset.tagFormat === "yes_no";

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
      grid.append(...tagOrder.map((key) => one(`[data-tag="${key}"]`, grid)));
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

  /** The tags of a tag step, in their present order. */
  tagsOf(step) {
    return all("[data-tag]", step);
  }

  isTagStep(step) {
    return step.dataset.step.startsWith("tags-");
  }

  /** How many answers a step waits for: one, or where each tag is asked yes or no, one a tag. */
  unanswered(step) {
    if (this.yesNo && this.isTagStep(step)) return this.tagsOf(step).filter((tag) => !one("input:checked", tag)).length;
    return one("input:checked", step) ? 0 : 1;
  }

  isAnswered(step) {
    return this.unanswered(step) === 0;
  }

  stageComplete(dimension, stage) {
    return this.stepsOf(dimension, stage).every((step) => this.isAnswered(step));
  }

  /** How many answers a dimension waits for. */
  missing(dimension) {
    return this.stepsOf(dimension).reduce((count, step) => count + this.unanswered(step), 0);
  }

  get complete() {
    return this.steps.every((step) => this.isAnswered(step));
  }

  get touched() {
    return this.steps.some((step) => one("input:checked", step));
  }

  /** Sets an answer as if it had been pressed: the same events follow. */
  choose(step, value) {
    const input = one(`input[value="${value}"]`, step);
    if (!input || input.matches(":disabled")) return false;
    if (input.type === "radio" && input.checked) return true;
    input.click();
    return true;
  }

  /**
   * Keeps the sheet's rules after `input` changed (“none” and tags exclude each other), and remembers how to go back.
   * Answers its step, and whether the change decided it: tags alone never do, since another may apply too.
   */
  changed(input) {
    const step = input.closest("[data-step]");
    const before = this.#before.get(step);
    this.#history.push([step, before]);
    const isNone = input.value === "none";
    if (input.type === "checkbox" && input.checked) {
      for (const box of all("input:checked", step)) {
        if (box !== input && (isNone || box.value === "none")) box.checked = false;
      }
    }
    this.settle();
    if (!this.isTagStep(step)) return { step, decided: true };
    const wasOpen = !this.yesNo || before.length < this.tagsOf(step).length;
    return { step, decided: this.yesNo ? wasOpen && this.isAnswered(step) : isNone && input.checked };
  }

  /** Takes the last answer back; the step it belongs to, or null. */
  undo() {
    const last = this.#history.pop();
    if (!last) return null;
    const [step, checked] = last;
    for (const input of all("input", step)) input.checked = checked.includes(input);
    this.settle();
    return step;
  }

  /** Opens and closes the second stages, and notes the state that “one answer back” returns to. */
  settle() {
    for (const step of this.steps) {
      if (step.dataset.stage === "2") step.disabled = !this.stageComplete(step.dataset.dimension, "1");
    }
    for (const step of this.steps) this.#before.set(step, all("input:checked", step));
  }

  /** Puts a draft's answers into the form. */
  fill(draft) {
    const { helpfulness = {}, harmlessness = {} } = draft ?? {};
    for (const step of this.stepsOf("helpfulness", "1")) this.#tick(step, this.#toSide(helpfulness[step.dataset.step]));
    this.#tick(this.step("helpfulness"), this.#toSide(helpfulness.overall));
    for (const side of SIDES) this.#fillTags(this.step(`tags-${side}`), harmlessness[this.videoOn(side)] ?? {});
    this.#tick(this.step("harmlessness"), this.#toSide(harmlessness.overall));
    this.settle();
  }

  #fillTags(step, { tags, answered }) {
    if (!this.yesNo) {
      const values = tags?.length ? tags : tags ? ["none"] : [];
      for (const value of values) this.#tick(step, value);
      return;
    }
    for (const tag of this.tagsOf(step)) {
      const key = tag.dataset.tag;
      if (tags?.includes(key)) this.#tick(tag, "yes");
      else if (answered?.includes(key)) this.#tick(tag, "no");
    }
  }

  #tick(step, value) {
    const input = value && one(`input[value="${value}"]`, step);
    if (input) input.checked = true;
  }

  /** The answers in the API's words; null where there is none. */
  answers() {
    const helpfulness = {};
    for (const step of this.stepsOf("helpfulness", "1")) helpfulness[step.dataset.step] = this.#answer(step);
    helpfulness.overall = this.#answer(this.step("helpfulness"));
    const harmlessness = { overall: this.#answer(this.step("harmlessness")) };
    for (const side of SIDES) harmlessness[this.videoOn(side)] = this.#tags(this.step(`tags-${side}`));
    return { helpfulness, harmlessness };
  }

  #tags(step) {
    const checked = all("input:checked", step);
    if (!this.yesNo) {
      const values = checked.map((input) => input.value);
      return { tags: values.length ? values.filter((value) => value !== "none") : null };
    }
    const keyOf = (input) => input.closest("[data-tag]").dataset.tag;
    const tags = checked.filter((input) => input.value === "yes").map(keyOf);
    return { tags: checked.length ? tags : null, answered: checked.map(keyOf) };
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
