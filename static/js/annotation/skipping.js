/** Skipping: the dialog that asks why. */

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

/** The reason that is chosen, or an empty text. */
const reason = () => String(new FormData(form).get("skip-reason") ?? "");

/** Only a technical problem has a note. */
function showNote() {
  note.disabled = reason() !== "technical_problem";
  noteField.hidden = note.disabled;
}

/**
 * Whoever has not revealed a blurred pair may skip it without another reason.
 *
 * @param {string} [because] the reason that is chosen already
 */
function ask(because) {
  const unrevealed = player.isUnrevealed; // hiding covers both again
  hideVideos();
  openDialog("skip");
  one("[data-unrevealed]", form).hidden = !unrevealed;
  const chosen = because ?? (unrevealed ? "not_revealed" : null);
  if (chosen) one(`input[value="${chosen}"]`, form).checked = true;
  showNote();
}
