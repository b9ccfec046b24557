/**
 * Where the focus is after somebody used the pointer. A browser leaves it on the control that was clicked, and that control then
 * takes the keys: Space presses a button again, a digit changes a select. So after a pointer action the focus goes to a resting
 * place, which is no control. Somebody who comes to a control with Tab keeps it, with its native keys.
 */

import { CONTROL, TYPED_INTO } from "./controls.js";
import { anyOpen } from "./dialogs.js";

const SCROLL_AREA = `[tabindex="0"]:not(${CONTROL})`;

/** @type {() => HTMLElement | null} */
let restingPlace = () => null;
/** Whether the last thing that the person did on this page was done by mouse, finger or pen. */
let byPointer = false;
/** The select that was pressed last by pointer: its list may still be open. @type {HTMLSelectElement | null} */
let pressedSelect = null;

/** Whether the person used the pointer last, on a page where the focus then rests. */
export const usedPointer = () => byPointer;

/** Moves the focus to the page's resting place. Return false if it has none. */
export function restFocus() {
  const place = restingPlace();
  place?.focus({ preventScroll: true });
  return place !== null;
}

/**
 * From now on the focus rests on what `place()` returns after each pointer action, and where a dialog closes and leaves the
 * focus nowhere. Without a place, which is right where single keys are off, it stays where the browser leaves it.
 *
 * @param {() => HTMLElement | null} place
 */
export function bindRestingFocus(place) {
  restingPlace = place;
  addEventListener("pointerdown", (event) => {
    const isAssistive = event.width === 0 && event.height === 0; // a screen reader presses, whose place would be lost
    if (!event.isTrusted || isAssistive) return;
    byPointer = true;
    pressedSelect = event.target instanceof Element ? event.target.closest("select") : null;
  }, { capture: true });
  addEventListener("keydown", () => {
    // Somebody closed its list without a choice, which no event says.
    if (pressedSelect && pressedSelect === document.activeElement && !isListOpen(pressedSelect)) restFocus();
    pressedSelect = null;
    byPointer = false;
  }, { capture: true });
  addEventListener("click", rest, { capture: true }); // first, so that a dialog which opens gives the focus back to the resting place
  addEventListener("click", rest);
  addEventListener("pointerup", () => setTimeout(rest)); // a drag that ends elsewhere is no click
  addEventListener("change", (event) => {
    if (event.target === pressedSelect) pressedSelect = null;
    rest();
  });
  addEventListener("close", () => {
    if (isNowhere() && !anyOpen()) restFocus();
    else rest();
  }, { capture: true });
}

function rest() {
  if (byPointer && !mayStay()) restFocus();
}

const isNowhere = () => document.activeElement === null || document.activeElement === document.body;

/** Whether the focus may stay where it is. */
function mayStay() {
  const focused = document.activeElement;
  if (anyOpen() || (focused && focused === pressedSelect)) return true;
  return focused !== null && (focused.matches(`${TYPED_INTO}, ${SCROLL_AREA}`) || focused.closest("details[data-menu][open]") !== null);
}

/** Whether the list of a select is open. Browsers that cannot say so give its keys to the list. @param {HTMLSelectElement} select */
function isListOpen(select) {
  try {
    return select.matches(":open");
  } catch {
    return false;
  }
}
