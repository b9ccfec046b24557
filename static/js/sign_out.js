/**
 * Signing out, from whichever page: what is not sent yet is sent, or its person decides; then nothing of theirs stays in
 * this browser. Without scripts the form signs out by itself, and there is nothing kept to remove.
 */

import { csrfToken } from "./page/csrf.js";
import { Refused, send } from "./workspace/api.js";
import { Keeping } from "./workspace/keeping.js";
import { isOver, sendWaiting } from "./workspace/sending.js";
import { tell } from "./workspace/tabs.js";

const PATIENCE_MS = 2000;
const form = document.querySelector("[data-sign-out]");
const dialog = document.querySelector("[data-sign-out-dialog]");
const part = (name) => dialog.querySelector(`[data-${name}]`);
let keeping = null;

/** The page has this person's things open already; some of them may be in its memory alone. */
export function signOutWith(open) {
  keeping = open;
}

if (form) {
  const { person, name } = form.dataset;
  tell("person", { person, name });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(person);
  });
  dialog.addEventListener("click", (event) => {
    const act = { "sign-out-stay": () => dialog.close(), "sign-out-send": sendAndGo, "sign-out-anyway": go };
    act[event.target.closest("[data-action]")?.dataset.action]?.();
  });
}

async function begin(person) {
  if (!keeping) {
    keeping = new Keeping(person);
    await keeping.open();
  }
  await sendAll(PATIENCE_MS);
  if (unsent()) ask();
  else await go();
}

const unsent = () => keeping.waits + keeping.unsent.length;

function ask(failed = "") {
  part("unsent").textContent = unsent();
  for (const reason of ["not-sent", "still-signed-in"]) part(reason).hidden = reason !== failed;
  if (!dialog.open) dialog.showModal();
}

async function sendAndGo() {
  await sendAll(5 * PATIENCE_MS);
  if (unsent()) ask("not-sent");
  else await go();
}

/** Sends answers and drafts; whatever stands in the way, or takes longer than `patience_ms`, leaves them unsent. */
async function sendAll(patience_ms) {
  const late = new Promise((resolve) => { setTimeout(resolve, patience_ms); });
  await Promise.race([late, everything().catch(() => {})]);
}

async function everything() {
  await keeping.reload();
  await sendWaiting(keeping);
  for (const { study, assignment, address, body } of keeping.unsent) {
    try {
      await send("PUT", address, body, { person: keeping.person });
      await keeping.keep(study, assignment, { synced: true });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const isGone = error.status === 404; // theirs no more
      if (isGone || isOver(error)) await keeping.forget(study, assignment);
    }
  }
}

/** Ends the session first: where that fails, nothing is removed. */
async function go() {
  try {
    await fetch(form.action, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken() },
      body: new URLSearchParams(new FormData(form)),
      credentials: "same-origin",
      redirect: "manual",
    });
  } catch {
    ask("still-signed-in");
    return;
  }
  await keeping.wipe();
  tell("wiped", { person: keeping.person });
  location.assign(form.dataset.then);
}
