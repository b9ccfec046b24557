/**
 * Status messages of the page. One line shows the latest passing message. Next to it, lasting messages stay until their cause is
 * gone. Each has its own element, so that a warning never hides “Answer saved”. Important messages are also announced, once.
 */

import { one } from "./dom.js";
import { restFocus } from "./focus.js";

const line = one("[data-passing]");
const lastingPlace = one("[data-standing]");
const announcer = one("[data-announce]");

/** Least time for which an announced passing message stays before a quiet one replaces it. */
const STAYS_MS = 2500;

/** @typedef {{ label: string, href: string, run?: undefined } | { label: string, run: () => void, href?: undefined }} MessageAction */
/** @typedef {{ text: string, kind: string, actions: MessageAction[], element: HTMLElement }} LastingMessage `kind`: "", "good", "warn" or "bad" */

/** @type {Map<string, LastingMessage>} by cause */
const lasting = new Map();
let staysUntil = 0;
let timer = 0;
/** The quiet message that waits until the announced one has been shown long enough. */
let waiting = "";

/** Show and announce a message that the next one may replace. @param {string} text @param {string} [kind] */
export function showPassing(text, kind = "") {
  write(text, kind);
  staysUntil = text ? performance.now() + STAYS_MS : 0;
  if (text) announce(text);
}

/** Show a message without announcing it, such as one that follows every answer. @param {string} text @param {string} [kind] */
export function showQuietly(text, kind = "") {
  clearTimeout(timer);
  const wait = staysUntil - performance.now();
  waiting = text;
  if (wait <= 0) write(text, kind);
  else timer = setTimeout(() => write(text, kind), wait);
}

/** Remove a passing message if nothing has replaced it. @param {string} text */
export function removePassing(text) {
  if (!text) return;
  if (waiting === text) clearTimeout(timer);
  if (line.textContent === text) write("", "");
}

/** Remove the passing message if it has been shown long enough: the pair that it was about is gone. */
export function endPassing() {
  if (!waiting && performance.now() >= staysUntil) write("", "");
}

/** @param {string} text @param {string} kind */
function write(text, kind) {
  clearTimeout(timer);
  waiting = "";
  staysUntil = 0;
  if (line.textContent !== text) line.textContent = text;
  line.title = text;
  line.dataset.kind = kind;
}

/**
 * Show a message that stays until `removeLasting(cause)`. Each action in `actions` is `{label, href}` or `{label, run}`.
 *
 * @param {string} cause
 * @param {string} text
 * @param {string} kind
 * @param {MessageAction[]} [actions]
 */
export function showLasting(cause, text, kind, actions = []) {
  const before = lasting.get(cause);
  if (before?.text === text && before.actions.length === actions.length) return;
  const element = lastingElement(text, kind, actions);
  element.dataset.cause = cause;
  lasting.set(cause, { text, kind, actions, element });
  if (before) replace(before.element, element);
  else lastingPlace.append(element);
  if (before?.kind !== kind) announce(text);
}

/** @param {string} cause */
export function removeLasting(cause) {
  const message = lasting.get(cause);
  lasting.delete(cause);
  if (message) replace(message.element);
}

/** Announce a text to screen readers, after what they are reading now. @param {string} text */
export function announce(text) {
  announcer.textContent = text;
}

/** @param {HTMLElement} old @param {HTMLElement[]} fresh */
function replace(old, ...fresh) {
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(...fresh);
  if (hadFocus) restFocus();
}

/** @param {string} text @param {string} kind @param {MessageAction[]} actions */
function lastingElement(text, kind, actions) {
  const element = document.createElement("p");
  element.className = "standing-word";
  element.dataset.kind = kind;
  element.append(text);
  if (!actions.length) return element;
  const ways = Object.assign(document.createElement("span"), { className: "status-ways" });
  ways.dataset.statusWays = "";
  ways.append(...actions.map(actionElement));
  element.append(" ", ways);
  return element;
}

/** @param {MessageAction} action */
function actionElement({ label, href, run }) {
  const looks = { className: "button quiet", textContent: label };
  if (href !== undefined) return Object.assign(document.createElement("a"), looks, { href, target: "_blank", rel: "noopener" });
  const button = Object.assign(document.createElement("button"), looks, { type: "button" });
  button.addEventListener("click", run);
  return button;
}
