/** Open a dialog of the page, find out whether one is open, and be called when one opens. */

import { CONTROL } from "./controls.js";
import { find, one } from "./dom.js";

export const anyOpen = () => find("dialog[open]") !== null;

/**
 * Call `run` whenever any dialog of the page opens. This watches the `open` attribute, so no dialog has to report itself.
 * If several dialogs open at the same time, `run` is called once.
 *
 * @param {() => void} run
 */
export function onDialogOpen(run) {
  const observer = new MutationObserver((changes) => {
    if (changes.some(({ target }) => target instanceof HTMLDialogElement && target.open)) run();
  });
  observer.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
}

/** Open the dialog with this `data-dialog`, unless another is open. @param {string} name */
export function openDialog(name) {
  if (!anyOpen()) showDialog(one(`dialog[data-dialog="${name}"]`));
}

/**
 * Open a dialog. If the focus is on a control, because the person came there with Tab, it moves to the first control of the
 * dialog. Otherwise it moves to the dialog itself, so that the next Space presses nothing.
 *
 * @param {HTMLDialogElement} dialog
 */
export function showDialog(dialog) {
  const onControl = document.activeElement?.matches(CONTROL);
  dialog.showModal();
  if (onControl) return;
  dialog.tabIndex = -1;
  dialog.focus();
}
