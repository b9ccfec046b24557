/** What any script of a page may ask about its dialogs: whether one is open, and to be called when one opens. */

import { one } from "./dom.js";

export const anyOpen = () => one("dialog[open]") !== null;

/**
 * Calls `run` whenever any dialog of the page opens. It watches the attribute that every dialog gets, so no dialog has to
 * report itself. A call for several dialogs at once is one call.
 */
export function onDialogOpen(run) {
  const opened = ({ target }) => target.localName === "dialog" && target.open;
  const observer = new MutationObserver((changes) => { if (changes.some(opened)) run(); });
  observer.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
}
