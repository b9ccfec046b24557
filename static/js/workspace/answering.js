/** Answering, by mouse and by key: what a press does to the sheet, and when “none” and “no” open. */

import { SIDES, all, one, say } from "../page/dom.js";
import { cue } from "./presenting.js";
import { passingWord } from "../page/status.js";

const form = one("[data-answers]");

export class Answering {
  #sheet;
  #guide;
  #seen;
  #obstacle;
  #onChange;
  #advancing = true;
  /** Arrows and Space keep their meaning on a focused control: the focus then stays there. */
  #byArrow = false;
  #saidTooSoon = "";

  /**
   * `seen(side)`: whether that video was seen through; `obstacle(side)`: what keeps it from counting as watched now.
   * `onChange()`: an answer was given, changed or taken back.
   */
  constructor({ sheet, guide, seen, obstacle, onChange }) {
    this.#sheet = sheet;
    this.#guide = guide;
    this.#seen = seen;
    this.#obstacle = obstacle;
    this.#onChange = onChange;
    this.#bind();
  }

  #bind() {
    form.addEventListener("keydown", (event) => {
      this.#byArrow = event.target.matches("input") && (event.key === " " || event.key.startsWith("Arrow"));
      if (event.key === "Enter" && !event.ctrlKey && event.target.matches("input")) event.preventDefault();
    });
    form.addEventListener("pointerdown", () => { this.#byArrow = false; });
    form.addEventListener("click", (event) => {
      const input = event.target.closest?.("[data-claims-none]");
      if (!input?.checked) return; // at a click it has its new state already: this one takes something back
      const { side } = input.closest("[data-side]").dataset;
      if (this.#seen(side)) return;
      event.preventDefault();
      this.#tooSoon(side);
    });
    form.addEventListener("change", (event) => {
      const { step, decided } = this.#sheet.changed(event.target);
      this.#onChange();
      if (decided && this.#advancing && !this.#byArrow) this.#guide.advance(step);
      this.#byArrow = false;
    });
    // A video becomes seen through while it plays, or as it ends; the player's own listeners come first.
    for (const name of ["timeupdate", "ended"]) {
      document.addEventListener(name, () => setTimeout(() => this.openGates()), { capture: true });
    }
  }

  /** That a video shows no harm can be said once it has been watched to its end; that it shows one, at any time. */
  openGates() {
    for (const side of SIDES) {
      const open = this.#seen(side);
      const gate = one(`[data-gate="${side}"]`, form);
      if (gate.hidden === open) continue;
      gate.hidden = open;
      for (const input of all("[data-claims-none]", this.#sheet.step(`tags-${side}`))) {
        if (open) input.removeAttribute("aria-disabled");
        else input.setAttribute("aria-disabled", "true");
      }
      this.#guide.refresh();
      if (open && this.#saidTooSoon === side) {
        this.#saidTooSoon = "";
        passingWord("");
      }
    }
  }

  #tooSoon(side) {
    cue("seen_first");
    this.#saidTooSoon = side;
    const key = ["seen_first", this.#obstacle(side), this.#sheet.yesNo && "no"].filter(Boolean).join("_");
    passingWord(say(key, { side: say(side) }), "warn");
  }

  #tagStep() {
    const step = this.#guide.turn();
    return step && this.#sheet.isTagStep(step) ? step : null;
  }

  /** Answers left, right or tie to the question whose turn it is. */
  answer(value) {
    const step = this.#guide.turn();
    if (!step || this.#tagStep()) return false;
    const had = one("input:checked", step)?.value;
    if (!this.#sheet.choose(step, value)) return false;
    if (had === value) this.#guide.advance(step);
    return true;
  }

  /** Sets or clears the tag with this place in the outlined video's order; between yes and no where both are asked. */
  tag(index) {
    const step = this.#tagStep();
    if (!step) return false;
    const tag = this.#sheet.tagsOf(step)[index];
    if (!this.#sheet.yesNo) return this.#press(one("input", tag));
    const isYes = one('input[value="yes"]', tag).checked;
    return this.#press(one(`input[value="${isYes ? "no" : "yes"}"]`, tag));
  }

  /** “None of these” for the outlined video; where each tag is asked, no to the one whose turn it is. */
  none() {
    const step = this.#tagStep();
    if (!step) return false;
    if (this.#sheet.yesNo) return this.#yesOrNo(step, "no");
    this.#sheet.choose(step, "none");
    return true;
  }

  /** Yes to the tag whose turn it is. */
  yes() {
    const step = this.#tagStep();
    return step && this.#sheet.yesNo ? this.#yesOrNo(step, "yes") : false;
  }

  #yesOrNo(step, value) {
    const tags = this.#sheet.tagsOf(step);
    const focused = tags.indexOf(document.activeElement.closest?.("[data-tag]"));
    const isOpen = (tag) => !one("input:checked", tag);
    const tag = focused >= 0 ? tags[focused] : tags.find(isOpen);
    if (!tag) return true;
    const input = one(`input[value="${value}"]`, tag);
    input.click();
    if (!input.checked || this.#sheet.isAnswered(step)) return true;
    const at = tags.indexOf(tag) + 1;
    const next = [...tags.slice(at), ...tags.slice(0, at)].find(isOpen);
    one("input", next).focus();
    return true;
  }

  #press(input) {
    this.#advancing = false;
    input.click();
    this.#advancing = true;
    return true;
  }

  /** On from the tag step. */
  pass() {
    const step = this.#tagStep();
    if (!step) return false;
    this.#guide.pass(step);
    return true;
  }

  /** Tab on a tagged video as a whole moves on; on an untouched one it goes into its boxes, as everywhere. */
  passTags() {
    const step = this.#tagStep();
    return step && this.#sheet.isAnswered(step) && this.#guide.following(step) ? this.pass() : false;
  }

  /** One answer back. */
  undo() {
    const step = this.#sheet.undo();
    if (!step) return false;
    this.#guide.focus(step);
    this.#onChange();
    passingWord(say("undone"));
    return true;
  }
}
