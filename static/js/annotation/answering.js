/** Answer the questions by mouse and by key. */

import { around, find, one, say } from "../page/dom.js";
import { showPassing } from "../page/status.js";
import { form } from "./answer_form.js";
import { drafts } from "./drafts.js";
import { sayLocked } from "./gates.js";
import { navigation } from "./navigation.js";
import { answersChanged } from "./pair_view.js";
import { seen } from "./videos.js";

const element = one("form[data-answers]");

class Answering {
  #advancing = true;
  /** Whether the change came from an arrow key or Space on a focused control. The focus then stays there. */
  #byArrow = false;

  constructor() {
    this.#bind();
  }

  #bind() {
    element.addEventListener("keydown", (event) => {
      const onInput = event.target instanceof HTMLInputElement;
      this.#byArrow = onInput && (event.key === " " || event.key.startsWith("Arrow"));
      if (event.key === "Enter" && !event.ctrlKey && onInput) event.preventDefault();
    });
    element.addEventListener("pointerdown", () => { this.#byArrow = false; });
    element.addEventListener("click", (event) => {
      const input = around(event, "input[data-claims-none]");
      if (!input?.checked) return; // the input has its new state already, so this click clears it
      const side = /** @type {Side} */ (input.closest("fieldset")?.dataset.side);
      if (seen(side)) return;
      event.preventDefault();
      sayLocked(side);
    });
    element.addEventListener("change", (event) => {
      const [input, step] = [around(event, "input"), around(event, "fieldset[data-step]")];
      if (!input || !step) return;
      const decided = form.change(input, step);
      this.#changed();
      if (decided && this.#advancing && !this.#byArrow) navigation.advance(step);
      this.#byArrow = false;
    });
  }

  #changed() {
    answersChanged();
    drafts.changed();
  }

  #tagStep() {
    const step = navigation.turn();
    return step && form.isTagStep(step) ? step : null;
  }

  /** Answer the current question with left, right or tie. @param {string} value */
  answer(value) {
    const step = navigation.turn();
    if (!step || this.#tagStep()) return false;
    const before = find("input:checked", step)?.value;
    if (!form.choose(step, value)) return false;
    if (before === value) navigation.advance(step);
    return true;
  }

  /**
   * Set or clear the tag at this index of the outlined video. In the yes-or-no format, switch between yes and no.
   *
   * @param {number} index
   */
  tag(index) {
    const step = this.#tagStep();
    if (!step) return false;
    const tag = form.tagsOf(step).at(index);
    if (!tag) return true;
    if (!form.yesNo) return this.#press(one("input", tag));
    const isYes = one('input[value="yes"]', tag).checked;
    return this.#press(one(`input[value="${isYes ? "no" : "yes"}"]`, tag));
  }

  /** Choose “None of these” for the outlined video. In the yes-or-no format, answer no to the current tag. */
  none() {
    const step = this.#tagStep();
    if (!step) return false;
    if (form.yesNo) return this.#yesOrNo(step, "no");
    form.choose(step, "none");
    return true;
  }

  /** Answer yes to the current tag. */
  yes() {
    const step = this.#tagStep();
    return step && form.yesNo ? this.#yesOrNo(step, "yes") : false;
  }

  /** @param {Step} step @param {"yes" | "no"} value */
  #yesOrNo(step, value) {
    const tags = form.tagsOf(step);
    const focused = document.activeElement?.closest("[data-tag]");
    const isOpen = (/** @type {HTMLElement} */ tag) => !find("input:checked", tag);
    const tag = tags.find((each) => each === focused) ?? tags.find(isOpen);
    if (!tag) return true;
    const input = one(`input[value="${value}"]`, tag);
    input.click();
    if (!input.checked || form.isAnswered(step)) return true;
    const at = tags.indexOf(tag) + 1;
    const next = [...tags.slice(at), ...tags.slice(0, at)].find(isOpen);
    if (next) next.focus(); // focus the row, not its answers: Space would choose one
    return true;
  }

  /** @param {HTMLInputElement} input */
  #press(input) {
    this.#advancing = false;
    input.click();
    this.#advancing = true;
    return true;
  }

  /** Move on from the tag step. */
  pass() {
    const step = this.#tagStep();
    if (!step) return false;
    navigation.pass(step);
    return true;
  }

  /** Move on from the outlined video with Tab if its tags are answered. Otherwise return false: Tab goes to its boxes as usual. */
  passTags() {
    const step = this.#tagStep();
    return step && form.isAnswered(step) && navigation.following(step) ? this.pass() : false;
  }

  /** Undo the last answer. */
  undo() {
    const step = form.undo();
    if (!step) return false;
    navigation.focus(step);
    this.#changed();
    showPassing(say("undone"));
    return true;
  }
}

export const answering = new Answering();
