/** Skip a pair, after a dialog has asked why. */

import { openDialog } from "../page/dialogs.js";
import { one, onAction } from "../page/dom.js";
import { typedInto } from "../page/typed.js";
import { hideVideos } from "./hiding.js";
import { skip } from "./session.js";
import { player } from "./videos.js";

const form = one("form[data-skip-form]");
const noteField = one("[data-skip-note]", form);
const note = one("textarea", noteField);

export function bindSkipping() {
  onAction("skip", () => ask());
  onAction("report", () => ask("technical_problem"));
  form.addEventListener("submit", () => skip(reason(), note.disabled ? "" : typedInto(note).trim()));
  form.addEventListener("change", showNote);
  one('dialog[data-dialog="skip"]').addEventListener("close", () => form.reset());
}

/** Return the chosen reason, or an empty text. */
const reason = () => String(new FormData(form).get("skip-reason") ?? "");

/** Show the note only for a technical problem. */
function showNote() {
  note.disabled = reason() !== "technical_problem";
  noteField.hidden = note.disabled;
}

/**
 * Open the dialog. A blurred pair that was not revealed can be skipped without another reason.
 *
 * @param {string} [because] a reason that is chosen in advance
 */
function ask(because) {
  const unrevealed = player.isUnrevealed; // before hiding, which filters both again
  hideVideos();
  openDialog("skip");
  one("[data-unrevealed]", form).hidden = !unrevealed;
  const chosen = because ?? (unrevealed ? "not_revealed" : null);
  if (chosen) one(`input[value="${chosen}"]`, form).checked = true;
  showNote();
}
