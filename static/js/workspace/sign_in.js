/** Signing in again without leaving the page: the work on it stays, and what waits is sent. */

import { csrfToken } from "../page/csrf.js";
import { all, one, onAction, pause, say } from "../page/dom.js";
import { waitOf } from "../page/put_off.js";
import { tell } from "./tabs.js";

const page = document.body.dataset;
const dialog = one('[data-dialog="sign-in"]');
const form = one("form", dialog);
const problem = one("[data-problem]", dialog);

export function openSignIn() {
  if (dialog.open) return;
  for (const other of all("dialog[open]")) other.close();
  showProblem("");
  dialog.showModal();
  form.elements.password.focus();
}

/** Whoever has signed in, here or in another tab, is told to all tabs as `person`. */
export function bindSignIn() {
  onAction("sign-in", openSignIn);
  dialog.addEventListener("close", () => { form.elements.password.value = ""; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = one("[type=submit]", form);
    button.disabled = true;
    showProblem("");
    try {
      await signIn();
    } catch {
      showProblem(say("sign_in_unreachable"));
    } finally {
      button.disabled = false;
    }
  });
}

async function signIn() {
  let response = await post(csrfToken());
  if (response.status === 403 && !isJson(response)) {
    const { csrf } = await (await fetch(page.urlSignInInPlace)).json(); // the browser has lost its token
    response = await post(csrf);
  }
  for (let wait = waitOf(response); wait && dialog.open; wait = waitOf(response)) {
    showProblem(say("sign_in_put_off"));
    await pause(1000 * (wait + Math.random())); // not everybody at the same moment
    if (!dialog.open) return;
    response = await post(csrfToken());
  }
  const answer = await response.json();
  if (!response.ok) {
    showProblem(answer.detail, answer.code === "password_change_required");
    form.elements.password.select();
    return;
  }
  renewForms();
  dialog.close();
  tell("person", answer);
}

const post = (token) =>
  fetch(page.urlSignInInPlace, {
    method: "POST",
    headers: { "X-CSRFToken": token },
    body: new URLSearchParams(new FormData(form)),
    credentials: "same-origin",
  });

const isJson = (response) => response.headers.get("Content-Type")?.startsWith("application/json");

/** A new session has a new token: the page's own forms, such as signing out, would be refused with the old one. */
function renewForms() {
  for (const input of all('input[name="csrfmiddlewaretoken"]')) input.value = csrfToken();
}

function showProblem(words, needsPage = false) {
  problem.textContent = words;
  problem.hidden = !words;
  one("[data-sign-in-page]", dialog).hidden = !needsPage;
}
