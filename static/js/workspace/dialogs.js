/** The three sheets: keys, guideline, skip. All native dialogs. */

import { one, onAction } from "../page/dom.js";

const sheet = (name) => one(`[data-dialog="${name}"]`);

export const anyOpen = () => one("dialog[open]") !== null;

export function openSheet(name) {
  if (!anyOpen()) sheet(name).showModal();
}

/** Lets the buttons open the sheets; `onSkip(reason)` when somebody skips, `onOpen()` before any opens. */
export function bindDialogs({ onSkip, onOpen }) {
  const open = (name) => {
    onOpen();
    openSheet(name);
  };
  onAction("help", () => open("help"));
  onAction("skip", () => open("skip"));
  onAction("report", () => {
    open("skip");
    one('input[value="technical_problem"]', sheet("skip")).checked = true;
  });
  document.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest("dialog").close());
  const form = one("[data-skip-form]");
  form.addEventListener("submit", () => onSkip(new FormData(form).get("skip-reason")));
  sheet("skip").addEventListener("close", () => form.reset());
}
