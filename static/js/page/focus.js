/**
 * Move the focus after a pointer action. A browser leaves it on the control that was clicked, and that control then uses the
 * keys: Space presses a button again, a digit changes a select. Therefore the focus moves to a resting place that is not a
 * control. If somebody comes to a control with Tab, the focus stays there, and the control uses its native keys.
 */

import { CONTROL, TYPED_INTO } from "./controls.js";
import { anyOpen } from "./dialogs.js";

const SCROLL_AREA = `[tabindex="0"]:not(${CONTROL})`;

/** @type {() => HTMLElement | null} */
let restingPlace = () => null;
/** Whether the person last used a mouse, finger or pen on this page. */
let byPointer = false;
/** The select that was last pressed by pointer. Its list may still be open. @type {HTMLSelectElement | null} */
let pressedSelect = null;

/** Return whether the person last used the pointer, on a page with a resting place. */
export const usedPointer = () => byPointer;

/** Move the focus to the page's resting place. Return false if it has none. */
export function restFocus() {
  const place = restingPlace();
  place?.focus({ preventScroll: true });
  return place !== null;
}

/**
 * Move the focus to the element that `place()` returns after each pointer action, and after a dialog closes and leaves the
 * focus nowhere. If `place()` returns null, as it does if single keys are off, the focus stays where the browser leaves it.
 *
 * @param {() => HTMLElement | null} place
 */
export function bindRestingFocus(place) {
  restingPlace = place;
  addEventListener("pointerdown", (event) => {
    const isAssistive = event.width === 0 && event.height === 0; // a press by a screen reader, which would lose its position
    if (!event.isTrusted || isAssistive) return;
    byPointer = true;
    pressedSelect = event.target instanceof Element ? event.target.closest("select") : null;
  }, { capture: true });
  addEventListener("keydown", () => {
    // The person may have closed the list without choosing. No event reports that.
    if (pressedSelect && pressedSelect === document.activeElement && !isListOpen(pressedSelect)) restFocus();
    pressedSelect = null;
    byPointer = false;
  }, { capture: true });
  addEventListener("click", rest, { capture: true }); // first, so that a dialog returns the focus to the resting place
  addEventListener("click", rest);
  addEventListener("pointerup", () => setTimeout(rest)); // a drag that ends elsewhere causes no click
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

/** Return whether the focus may stay where it is. */
function mayStay() {
  const focused = document.activeElement;
  if (anyOpen() || (focused && focused === pressedSelect)) return true;
  return focused !== null && (focused.matches(`${TYPED_INTO}, ${SCROLL_AREA}`) || focused.closest("details[data-menu][open]") !== null);
}

/** Return whether the list of a select is open; false if the browser cannot tell. @param {HTMLSelectElement} select */
function isListOpen(select) {
  try {
    return select.matches(":open");
  } catch {
    return false;
  }
}
