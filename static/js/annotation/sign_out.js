/**
 * Signing out, from whichever page: what is not sent yet is sent, or its person decides; then nothing of theirs stays in
 * this browser. Without scripts the form signs out by itself, and there is nothing kept to remove.
 */

import { csrfToken } from "../page/csrf.js";
import { showDialog } from "../page/dialogs.js";
import { find, given, one, onAction } from "../page/dom.js";
import { formBody } from "../page/form_body.js";
import { Refused, send } from "./api.js";
import { outbox } from "./outbox.js";
import { tell } from "./tabs.js";

const PATIENCE_MS = 2000;
const ours = find("form[data-sign-out]");

if (ours) bind(ours, one("dialog[data-sign-out-dialog]"));

/** @param {HTMLFormElement} form @param {HTMLDialogElement} dialog */
function bind(form, dialog) {
  const { person, name } = form.dataset;
  tell("person", { person, name });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  onAction("sign-out-stay", () => dialog.close());
  onAction("sign-out-send", sendAndGo);
  onAction("sign-out-anyway", go);

  async function begin() {
    await outbox.open();
    await sendAll(PATIENCE_MS);
    if (unsent()) ask();
    else await go();
  }

  function ask(failed = "") {
    one("[data-unsent]", dialog).textContent = String(unsent());
    for (const reason of ["not-sent", "still-signed-in"]) one(`[data-${reason}]`, dialog).hidden = reason !== failed;
    if (!dialog.open) showDialog(dialog);
  }

  async function sendAndGo() {
    await sendAll(5 * PATIENCE_MS);
    if (unsent()) ask("not-sent");
    else await go();
  }

  /** Ends the session first: where that fails, nothing is removed. */
  async function go() {
    try {
      await fetch(form.action, {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken() },
        body: formBody(form),
        credentials: "same-origin",
        redirect: "manual",
      });
    } catch {
      ask("still-signed-in");
      return;
    }
    await outbox.wipe();
    tell("wiped", { person: outbox.person });
    location.assign(given(form, "then"));
  }
}

const unsent = () => outbox.waits + outbox.unsent.length;

/**
 * Sends answers and drafts; whatever stands in the way, or takes longer than `patience_ms`, leaves them unsent.
 *
 * @param {number} patience_ms
 */
async function sendAll(patience_ms) {
  const late = new Promise((resolve) => { setTimeout(resolve, patience_ms); });
  await Promise.race([late, everything().catch(() => {})]);
}

async function everything() {
  await outbox.reload();
  await outbox.sendAll();
  for (const { study, assignment, address, body } of outbox.unsent) {
    try {
      await send("PUT", address, body, { person: outbox.person });
      await outbox.keep(study, assignment, { synced: true });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const isGone = error.status === 404; // theirs no more
      if (isGone || error.isOver) await outbox.forget(study, assignment);
    }
  }
}
