/** The three sheets: keys, guideline, skip. All native dialogs. */

import { anyOpen } from "../page/dialogs.js";
import { one, onAction } from "../page/dom.js";

const sheet = (name) => one(`[data-dialog="${name}"]`);

export function openSheet(name) {
  if (!anyOpen()) sheet(name).showModal();
}

/**
 * Lets the buttons open the dialogs. `hideVideos()` is called before Skip opens, `isUnrevealed()` says whether the person
 * may skip the pair without a reason, and `onSkip(reason)` is called when they skip.
 */
export function bindDialogs({ onSkip, hideVideos, isUnrevealed }) {
  const openSkip = (reason) => {
    const unrevealed = isUnrevealed(); // hiding covers both again
    hideVideos();
    openSheet("skip");
    one("[data-unrevealed]", sheet("skip")).hidden = !unrevealed;
    const chosen = reason ?? (unrevealed ? "not_revealed" : null);
    if (chosen) one(`input[value="${chosen}"]`, sheet("skip")).checked = true;
  };
  onAction("help", () => openSheet("help"));
  onAction("skip", () => openSkip());
  onAction("report", () => openSkip("technical_problem"));
  document.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest("dialog").close());
  const form = one("[data-skip-form]");
  form.addEventListener("submit", () => onSkip(new FormData(form).get("skip-reason")));
  sheet("skip").addEventListener("close", () => form.reset());
}
