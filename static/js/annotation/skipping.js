/** Skipping: the dialog that asks why. */

import { openDialog } from "../page/dialogs.js";
import { one, onAction } from "../page/dom.js";
import { hideVideos } from "./hiding.js";
import { skip } from "./session.js";
import { player } from "./videos.js";

const form = one("form[data-skip-form]");

export function bindSkipping() {
  onAction("skip", () => ask());
  onAction("report", () => ask("technical_problem"));
  form.addEventListener("submit", () => skip(String(new FormData(form).get("skip-reason") ?? "")));
  one('dialog[data-dialog="skip"]').addEventListener("close", () => form.reset());
}

/**
 * Whoever has not revealed a blurred pair may skip it without another reason.
 *
 * @param {string} [reason] that is chosen already
 */
function ask(reason) {
  const unrevealed = player.isUnrevealed; // hiding covers both again
  hideVideos();
  openDialog("skip");
  one("[data-unrevealed]", form).hidden = !unrevealed;
  const chosen = reason ?? (unrevealed ? "not_revealed" : null);
  if (chosen) one(`input[value="${chosen}"]`, form).checked = true;
}
