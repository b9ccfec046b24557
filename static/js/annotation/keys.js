/** Keys by position (`event.code`), so that they lie alike on every layout. */

import { anyOpen } from "../page/dialogs.js";
import { all, around } from "../page/dom.js";
import { isEscapeSpent } from "../page/escape.js";
import { answerKeys, settings } from "./settings.js";

const TAG_CODES = [...Array.from({ length: 9 }, (_, index) => `Digit${index + 1}`), "Digit0", "Minus", "Equal"];
const TEXT = 'textarea, select, [contenteditable=""], [contenteditable="true"], ' +
  'input:not([type="radio"], [type="checkbox"], [type="range"], [type="button"], [type="submit"])';
const CONTROL = "a, button, input, select, textarea, summary, [role=tab]";

/** Whether the event's own target matches. @param {Event} event @param {string} selector */
const isOn = ({ target }, selector) => target instanceof Element && target.matches(selector);

/** Writes `1` to `=` beside the tags, in their present order. */
export function paintTagKeys() {
  const labels = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-", "="];
  for (const grid of all("[data-tags]")) {
    all("[data-tag-hint]", grid).forEach((hint, index) => { hint.textContent = labels[index]; });
  }
}

/**
 * @typedef {object} Acts
 * @property {() => unknown} toggle
 * @property {(count: number) => unknown} frame
 * @property {(count: number) => unknown} second
 * @property {(selection: Side | "both") => unknown} select
 * @property {() => unknown} reveal
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
 * @property {() => unknown} hideOrShow
 */

/**
 * `act` has a function for each thing that keys do; each returns `false` if the key was not for it.
 *
 * @param {Acts} act
 */
export function bindKeys(act) {
  /** @type {Record<string, (shift: boolean) => unknown>} */
  const player = {
    Space: () => act.toggle(),
    Comma: (shift) => (shift ? act.second(-1) : act.frame(-1)),
    Period: (shift) => (shift ? act.second(1) : act.frame(1)),
    KeyQ: () => act.select("left"),
    KeyW: () => act.select("both"),
    KeyE: () => act.select("right"),
    KeyR: () => act.reveal(),
  };
  /** @type {Record<string, () => unknown>} */
  const others = {
    KeyG: () => act.guideline(),
    KeyI: () => act.toggleDefinition(),
    KeyN: () => act.none(),
    KeyP: () => act.togglePrompt(),
    KeyY: () => act.yes(),
    BracketRight: () => act.pass(),
    Backspace: () => act.undo(),
  };

  /** @param {KeyboardEvent} event */
  function meaning(event) {
    const { code, shiftKey } = event;
    const onControl = around(event, CONTROL);
    if (event.key === "?") return act.help;
    if (code === "Space" && onControl) return null;
    if (code in player) return () => player[code](shiftKey);
    const tag = TAG_CODES.indexOf(code);
    if (shiftKey) return tag >= 0 ? () => act.defineTag(tag) : null;
    if (code === "Tab") return isOn(event, "[data-step]") ? () => act.passTags() : null;
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
    if (document.fullscreenElement && !(event.code in player)) return; // answers are given where they are seen
    if (event.ctrlKey) {
      if (event.code !== "Enter" && event.code !== "NumpadEnter") return;
      event.preventDefault();
      act.submit();
      return;
    }
    if (isOn(event, TEXT)) return;
    const run = meaning(event);
    if (run && run() !== false) event.preventDefault();
  });
}
