/**
 * Sign out from any page. First send what is not sent yet, or let the person decide. Then delete the person's data from this
 * browser. Without scripts the form itself signs out, and the browser has stored nothing.
 */

import { csrfToken } from "../page/csrf.js";
import { showDialog } from "../page/dialogs.js";
import { find, given, one, onAction } from "../page/dom.js";
import { formBody } from "../page/form_body.js";
import { Refused, send } from "./api.js";
import { outbox } from "./outbox.js";
import { broadcast } from "./tabs.js";

const TIMEOUT_MS = 2000;
const ours = find("form[data-sign-out]");

if (ours) bind(ours, one("dialog[data-sign-out-dialog]"));

/** @param {HTMLFormElement} form @param {HTMLDialogElement} dialog */
function bind(form, dialog) {
  const { person, name } = form.dataset;
  broadcast("person", { person, name });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  onAction("sign-out-stay", () => dialog.close());
  onAction("sign-out-send", sendAndGo);
  onAction("sign-out-anyway", go);

  async function begin() {
    await outbox.open();
    await sendAll(TIMEOUT_MS);
    if (unsent()) ask();
    else await go();
  }

  function ask(failed = "") {
    one("[data-unsent]", dialog).textContent = String(unsent());
    for (const reason of ["not-sent", "still-signed-in"]) one(`[data-${reason}]`, dialog).hidden = reason !== failed;
    if (!dialog.open) showDialog(dialog);
  }

  async function sendAndGo() {
    await sendAll(5 * TIMEOUT_MS);
    if (unsent()) ask("not-sent");
    else await go();
  }

  /** End the session, then delete the data. If the first fails, nothing is deleted. */
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
    broadcast("wiped", { person: outbox.person });
    location.assign(given(form, "then"));
  }
}

const unsent = () => outbox.waits + outbox.unsent.length;

/**
 * Send answers and drafts. What fails or takes longer than `timeout_ms` stays unsent.
 *
 * @param {number} timeout_ms
 */
async function sendAll(timeout_ms) {
  const late = new Promise((resolve) => { setTimeout(resolve, timeout_ms); });
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
      const isGone = error.status === 404; // it no longer belongs to the person
      if (isGone || error.isOver) await outbox.forget(study, assignment);
    }
  }
}
