/** What any script of a page may do with its dialogs: open one, ask whether one is open, and be called when one opens. */

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
  if (!anyOpen()) one(`dialog[data-dialog="${name}"]`).showModal();
}
