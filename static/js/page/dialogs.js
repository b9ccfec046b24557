/** What any script of a page may do with its dialogs: open one, ask whether one is open, and be called when one opens. */

import { CONTROL } from "./controls.js";
import { find, one } from "./dom.js";

export const anyOpen = () => find("dialog[open]") !== null;

/**
 * Calls `run` whenever any dialog of the page opens. It watches the attribute that every dialog gets, so no dialog has to
 * report itself. A call for several dialogs at once is one call.
 *
 * @param {() => void} run
 */
export function onDialogOpen(run) {
  const observer = new MutationObserver((changes) => {
    if (changes.some(({ target }) => target instanceof HTMLDialogElement && target.open)) run();
  });
  observer.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
}

/** Opens the dialog with this `data-dialog`, unless another is open. @param {string} name */
export function openDialog(name) {
  if (!anyOpen()) showDialog(one(`dialog[data-dialog="${name}"]`));
}

/**
 * Opens a dialog. Somebody who is on a control, because they came there with Tab, goes on to the first control of the dialog.
 * Else the focus goes to the dialog itself, so that the next Space presses nothing.
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
