/** Sign in again without leaving the page. The work on the page is kept, and waiting entries are sent. */

import { csrfToken } from "../page/csrf.js";
import { all, given, one, onAction, pause, say } from "../page/dom.js";
import { formBody } from "../page/form_body.js";
import { waitOf } from "../page/put_off.js";
import { browserZone } from "../page/times.js";
import { broadcast } from "./tabs.js";

const address = given(document.body, "urlSignInInPlace");
const dialog = one('dialog[data-dialog="sign-in"]');
const form = one("form", dialog);
const password = one("input[name=password]", form);
const problem = one("[data-problem]", dialog);

export function openSignIn() {
  if (dialog.open) return;
  for (const other of all("dialog[open]")) other.close();
  showProblem("");
  dialog.showModal();
  password.focus(); // in a text field, single keys are no shortcuts
}

/** Bind the dialog. After a sign-in, all tabs get the message `person`. */
export function bindSignIn() {
  onAction("sign-in", openSignIn);
  dialog.addEventListener("close", () => { password.value = ""; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = one("button[type=submit]", form);
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
    const { csrf } = await (await fetch(address)).json(); // the browser has lost its CSRF token
    response = await post(csrf);
  }
  for (let wait = waitOf(response); wait && dialog.open; wait = waitOf(response)) {
    showProblem(say("sign_in_put_off"));
    await pause(1000 * (wait + Math.random())); // so that not everybody tries at the same moment
    if (!dialog.open) return;
    response = await post(csrfToken());
  }
  const result = await response.json();
  if (!response.ok) {
    showProblem(result.detail, result.code === "password_change_required");
    password.select();
    return;
  }
  renewForms();
  dialog.close();
  broadcast("person", result);
}

/** @param {string} token */
function post(token) {
  const body = formBody(form);
  body.set("time_zone", browserZone());
  return fetch(address, { method: "POST", headers: { "X-CSRFToken": token }, body, credentials: "same-origin" });
}

/** @param {Response} response */
const isJson = (response) => response.headers.get("Content-Type")?.startsWith("application/json") ?? false;

/** Put the new session's CSRF token into the forms of the page. With the old token they would be refused. */
function renewForms() {
  for (const input of all('input[name="csrfmiddlewaretoken"]')) input.value = csrfToken();
}

/** @param {string} words @param {boolean} [needsPage] */
function showProblem(words, needsPage = false) {
  problem.textContent = words;
  problem.hidden = !words;
  one("[data-sign-in-page]", dialog).hidden = !needsPage;
}
