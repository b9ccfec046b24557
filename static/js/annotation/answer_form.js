/** The answer form. Converts between the form, whose values are sides, and the answers of the API, whose values are videos. */

import { SIDES, all, find, given, one } from "../page/dom.js";
import { typedInto } from "../page/typed.js";

/** @type {Record<Api.VideoKey, Api.VideoKey>} */
const OTHER = { video_0: "video_1", video_1: "video_0" };

class AnswerForm {
  #form = one("form[data-answers]");
  #unsure = one("input[data-unsure]");
  #comment = one("textarea[data-comment]");
  /** @type {Api.VideoKey} */
  #left = "video_0";
  /** @type {[Step, HTMLInputElement[]][]} each changed step, with the inputs that were checked before */
  #history = [];
  /** @type {Map<Step, HTMLInputElement[]>} */
  #before = new Map();
  /** Whether the study asks yes or no for each tag, instead of checking all that apply. */
  yesNo = this.#form.dataset.tagFormat === "yes_no";

  constructor() {
    this.steps = all("fieldset[data-step]", this.#form);
  }

  /**
   * Empty the form for a pair. `left` is the video on the left. Questions and tags are put in the person's order.
   *
   * @param {Api.Assignment} pair
   */
  reset({ left, question_order: questionOrder, tag_order: tagOrder }) {
    this.#left = left;
    this.#history = [];
    this.#form.reset();
    const rows = one("[data-questions]", this.#form);
    rows.append(...questionOrder.map((key) => this.step(key)));
    for (const grid of all("[data-tags]", this.#form)) {
      grid.append(...tagOrder.map((key) => one(`[data-tag="${key}"]`, grid)));
    }
    this.steps = all("fieldset[data-step]", this.#form);
    this.#changed();
  }

  /** @param {string} key */
  step(key) {
    return one(`fieldset[data-step="${key}"]`, this.#form);
  }

  /** @param {string} dimension @param {"1" | "2"} [stage] */
  stepsOf(dimension, stage) {
    return this.steps.filter((step) => step.dataset.dimension === dimension && (!stage || step.dataset.stage === stage));
  }

  /** Return the tags of a tag step, in their current order. @param {Step} step */
  tagsOf(step) {
    return all("[data-tag]", step);
  }

  /** @param {Step} step */
  isTagStep(step) {
    return step.dataset.step?.startsWith("tags-") ?? false;
  }

  /**
   * Return how many answers a step still needs: at most one, or one per tag in the yes-or-no format.
   *
   * @param {Step} step
   */
  unanswered(step) {
    if (this.yesNo && this.isTagStep(step)) return this.tagsOf(step).filter((tag) => !find("input:checked", tag)).length;
    return find("input:checked", step) ? 0 : 1;
  }

  /** @param {Step} step */
  isAnswered(step) {
    return this.unanswered(step) === 0;
  }

  /** @param {string} dimension @param {"1" | "2"} stage */
  stageComplete(dimension, stage) {
    return this.stepsOf(dimension, stage).every((step) => this.isAnswered(step));
  }

  /** Return how many answers a dimension still needs. @param {string} dimension */
  missing(dimension) {
    return this.stepsOf(dimension).reduce((count, step) => count + this.unanswered(step), 0);
  }

  get complete() {
    return this.steps.every((step) => this.isAnswered(step));
  }

  get touched() {
    return this.steps.some((step) => find("input:checked", step) !== null);
  }

  /**
   * Set an answer with a click, so that the same events follow. Return false if it cannot be set.
   *
   * @param {Step} step @param {string} value
   */
  choose(step, value) {
    const input = find(`input[value="${value}"]`, step);
    if (!input || input.matches(":disabled")) return false;
    if (input.type === "radio" && input.checked) return true;
    input.click();
    return true;
  }

  /**
   * Apply the form's rules after `input` in `step` changed (“none” and tags exclude each other), and remember how to undo it.
   * Return whether the change completed the step. Checking a tag never does, because other tags may apply too.
   *
   * @param {HTMLInputElement} input
   * @param {Step} step
   */
  change(input, step) {
    const before = this.#before.get(step) ?? [];
    this.#history.push([step, before]);
    const isNone = input.value === "none";
    if (input.type === "checkbox" && input.checked) {
      for (const box of all("input:checked", step)) {
        if (box !== input && (isNone || box.value === "none")) box.checked = false;
      }
    }
    this.#changed();
    if (!this.isTagStep(step)) return true;
    const wasOpen = !this.yesNo || before.length < this.tagsOf(step).length;
    return this.yesNo ? wasOpen && this.isAnswered(step) : isNone && input.checked;
  }

  /** Undo the last answer. Return its step, or null if there is nothing to undo. */
  undo() {
    const last = this.#history.pop();
    if (!last) return null;
    const [step, checked] = last;
    for (const input of all("input", step)) input.checked = checked.includes(input);
    this.#changed();
    return step;
  }

  /** Enable or disable the second stages, and remember the state to which the next undo returns. */
  #changed() {
    for (const step of this.steps) {
      if (step.dataset.stage === "2") step.disabled = !this.stageComplete(given(step, "dimension"), "1");
    }
    for (const step of this.steps) this.#before.set(step, all("input:checked", step));
  }

  /** Put a draft's answers into the form. @param {Api.Answers | undefined} draft */
  fill(draft) {
    const { helpfulness = {}, harmlessness = {} } = draft ?? {};
    for (const step of this.stepsOf("helpfulness", "1")) this.#tick(step, this.#toSide(helpfulness[keyOf(step)]));
    this.#tick(this.step("helpfulness"), this.#toSide(helpfulness.overall));
    for (const side of SIDES) this.#fillTags(this.step(`tags-${side}`), harmlessness[this.videoOn(side)] ?? {});
    this.#tick(this.step("harmlessness"), this.#toSide(harmlessness.overall));
    this.#unsure.checked = draft?.unsure ?? false;
    this.#comment.value = draft?.comment ?? "";
    this.#changed();
  }

  /** @param {Step} step @param {Api.DraftTags} answer */
  #fillTags(step, { tags, answered }) {
    if (!this.yesNo) {
      const values = tags?.length ? tags : tags ? ["none"] : [];
      for (const value of values) this.#tick(step, value);
      return;
    }
    for (const tag of this.tagsOf(step)) {
      const key = given(tag, "tag");
      if (tags?.includes(key)) this.#tick(tag, "yes");
      else if (answered?.includes(key)) this.#tick(tag, "no");
    }
  }

  /** @param {HTMLElement} part @param {string | null | undefined} value */
  #tick(part, value) {
    const input = value ? find(`input[value="${value}"]`, part) : null;
    if (input) input.checked = true;
  }

  /** Return the answers in the format of the API. A missing answer is null. */
  answers() {
    /** @type {Api.DraftHelpfulness} */
    const helpfulness = {};
    for (const step of this.stepsOf("helpfulness", "1")) helpfulness[keyOf(step)] = this.#answer(step);
    helpfulness.overall = this.#answer(this.step("helpfulness"));
    /** @type {Api.DraftHarmlessness} */
    const harmlessness = { overall: this.#answer(this.step("harmlessness")) };
    for (const side of SIDES) harmlessness[this.videoOn(side)] = this.#tags(this.step(`tags-${side}`));
    return { helpfulness, harmlessness, unsure: this.#unsure.checked, comment: typedInto(this.#comment) };
  }

  /** @param {Step} step @returns {Api.DraftTags} */
  #tags(step) {
    const checked = all("input:checked", step);
    if (!this.yesNo) {
      const values = checked.map((input) => input.value);
      return { tags: values.length ? values.filter((value) => value !== "none") : null };
    }
    const tags = checked.filter((input) => input.value === "yes").map(tagOf);
    return { tags: checked.length ? tags : null, answered: checked.map(tagOf) };
  }

  /** @param {Step} step @returns {Api.Choice | null} */
  #answer(step) {
    const value = step.disabled ? null : find("input:checked", step)?.value;
    return value === "tie" ? value : value ? this.videoOn(/** @type {Side} */ (value)) : null;
  }

  /** @param {Side} side */
  videoOn(side) {
    return side === "left" ? this.#left : OTHER[this.#left];
  }

  /** @param {Api.Choice | null | undefined} value */
  #toSide(value) {
    if (!value || value === "tie") return value;
    return value === this.#left ? "left" : "right";
  }
}

/** Return the key of the question of a helpfulness step in the first stage. @param {Step} step */
const keyOf = (step) => /** @type {keyof Api.DraftHelpfulness} */ (given(step, "step"));

/** Return the tag of an input. @param {HTMLInputElement} input */
const tagOf = (input) => given(/** @type {HTMLElement} */ (input.closest("[data-tag]")), "tag");

export const form = new AnswerForm();
