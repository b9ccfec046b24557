/** Keys by their position (`event.code`), so that they are in the same place on every keyboard layout. */

import { CONTROL, TEXT } from "../page/controls.js";
import { anyOpen } from "../page/dialogs.js";
import { all } from "../page/dom.js";
import { isEscapeSpent } from "../page/escape.js";
import { answerKeys, settings } from "./settings.js";

const TAG_CODES = [...Array.from({ length: 9 }, (_, index) => `Digit${index + 1}`), "Digit0", "Minus", "Equal"];

/** Return whether the focus is on an element that matches. @param {string} selector */
const isOn = (selector) => document.activeElement?.matches(selector) ?? false;

/** Write `1` to `=` next to the tags, in their current order. */
export function paintTagKeys() {
  const labels = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-", "="];
  for (const grid of all("[data-tags]")) {
    all("[data-tag-hint]", grid).forEach((hint, index) => { hint.textContent = labels[index]; });
  }
}

/**
 * @typedef {object} Acts
 * @property {Record<string, (shift: boolean) => unknown>} player functions of the player's keys, by `event.code`
 * @property {() => unknown} help
 * @property {() => unknown} guideline
 * @property {() => unknown} submit
 * @property {(value: string) => unknown} answer
 * @property {(index: number) => unknown} tag
 * @property {() => unknown} none
 * @property {() => unknown} yes
 * @property {() => unknown} pass
 * @property {() => unknown} passTags
 * @property {() => unknown} togglePrompt
 * @property {() => unknown} toggleDefinition
 * @property {(index: number) => unknown} defineTag
 * @property {() => unknown} undo
 * @property {() => unknown} previousPair
 * @property {() => unknown} skip
 * @property {() => unknown} otherDimension
 * @property {() => unknown} keepAnswers
 * @property {() => unknown} talk
 * @property {() => unknown} reportIllegal
 * @property {() => unknown} pressPrimary
 * @property {() => unknown} answerMessage
 * @property {() => unknown} hideOrShow
 * @property {() => unknown} unsure
 * @property {() => unknown} comment
 */

/**
 * Bind the keys. `act` has a function for each action. It returns `false` if it did not use the key.
 *
 * @param {Acts} act
 */
export function bindKeys(act) {
  const { player } = act;
  /** None of these keys is an answer key in a preset of settings.js. @type {Record<string, () => unknown>} */
  const others = {
    KeyG: () => act.guideline(),
    KeyU: () => act.unsure(),
    KeyC: () => act.comment(),
    KeyI: () => act.toggleDefinition(),
    KeyN: () => act.none(),
    KeyP: () => act.togglePrompt(),
    KeyY: () => act.yes(),
    KeyS: () => act.skip(),
    KeyH: () => act.otherDimension(),
    KeyB: () => act.keepAnswers(),
    KeyZ: () => act.talk(),
    BracketRight: () => act.pass(),
    Backspace: () => act.undo(),
  };
  /** @type {Record<string, () => unknown>} */
  const withShift = {
    Backspace: () => act.previousPair(),
    KeyL: () => act.reportIllegal(), // not a single key, which could be pressed by mistake
    Enter: () => act.answerMessage(), // not Enter, which is too close to Ctrl + Enter: the action may give a pair up
    NumpadEnter: () => act.answerMessage(),
  };

  /** @param {KeyboardEvent} event */
  function meaning(event) {
    const { code, shiftKey } = event;
    if (event.key === "?") return act.help;
    if (["Space", "Enter", "NumpadEnter"].includes(code) && isOn(CONTROL)) return null;
    if (code in player) return () => player[code](shiftKey);
    const tag = TAG_CODES.indexOf(code);
    if (shiftKey) return withShift[code] ?? (tag >= 0 ? () => act.defineTag(tag) : null);
    if (code === "Tab") return isOn("[data-step]") ? () => act.passTags() : null;
    if (code === "Enter" || code === "NumpadEnter") return act.pressPrimary;
    const answer = answerKeys()[code];
    if (answer) return () => act.answer(answer);
    if (tag >= 0) return () => act.tag(tag);
    return others[code] ?? null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.code === "Escape") {
      if (!isEscapeSpent(event)) act.hideOrShow();
      return;
    }
    if (event.defaultPrevented || anyOpen() || event.repeat || settings.keys === "off" || event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      if (event.code !== "Enter" && event.code !== "NumpadEnter") return;
      event.preventDefault();
      act.submit();
      return;
    }
    if (isOn(TEXT)) return;
    const run = meaning(event);
    if (run && run() !== false) event.preventDefault();
  });
}
