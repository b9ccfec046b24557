/**
 * Sends a form, such as the sign-in form, again and again until the server accepts or refuses it. The server may put
 * such a request off. Without scripts the page asks the person to send the form again.
 */

import { find, one, pause, say } from "../page/dom.js";
import { formBody } from "../page/form_body.js";
import { waitOf } from "../page/put_off.js";

/** Seconds. */
const RETRY_UNREACHABLE = 3;

bind();

function bind() {
  const form = find("form[data-sent-again]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    sendUntilDecided(form);
  });
}

/** @param {HTMLFormElement} form */
async function sendUntilDecided(form) {
  const button = one("button:not([type=button])", form);
  button.disabled = true;
  try {
    for (;;) {
      const { response, wait, word } = await attempt(form);
      if (response && !wait) {
        await showResponse(response);
        return;
      }
      showWaiting(form, say(word));
      await pause(1000 * (wait + Math.random())); // so that not all browsers try again at the same moment
    }
  } finally {
    button.disabled = false;
  }
}

/**
 * Sends one request. Returns the response, or the seconds to wait before the next request and the key of the reason.
 *
 * @param {HTMLFormElement} form
 * @returns {Promise<{ response?: Response, wait: number, word: string }>}
 */
async function attempt(form) {
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: formBody(form),
      credentials: "same-origin",
    });
    return { response, wait: waitOf(response), word: response.status === 429 ? "put_off" : "put_off_unreachable" };
  } catch {
    return { wait: RETRY_UNREACHABLE, word: "put_off_unreachable" };
  }
}

/**
 * Opens the address that the server returned, or shows the page that it sent, such as this form with errors.
 *
 * @param {Response} response
 */
async function showResponse(response) {
  if (response.headers.get("Content-Type")?.startsWith("application/json")) {
    location.assign((await response.json()).next);
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  one("main").replaceWith(one("main", page));
  bind();
  (find("[aria-invalid=true]") ?? find("input[type=password]") ?? one("main")).focus();
}

/** @param {HTMLFormElement} form @param {string} sentence */
function showWaiting(form, sentence) {
  const line = one("[data-sending-again]", form);
  line.textContent = sentence;
  line.hidden = false;
}
