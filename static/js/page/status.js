/**
 * Status messages of the page. One line shows the latest passing message. Next to it, lasting messages stay until their cause is
 * gone. Each has its own element, so that a warning never hides “Answer saved”. Important messages are also announced, once.
 */

import { one } from "./dom.js";
import { restFocus } from "./focus.js";

const line = one("[data-passing]");
const standingPlace = one("[data-standing]");
const announcer = one("[data-announce]");

/** Least time for which an announced passing message stays before a quiet one replaces it. */
const STAYS_MS = 2500;

/** @typedef {{ label: string, href: string, run?: undefined } | { label: string, run: () => void, href?: undefined }} WayOn */
/** @typedef {{ text: string, kind: string, waysOn: WayOn[], element: HTMLElement }} Standing `kind`: "", "good", "warn" or "bad" */

/** @type {Map<string, Standing>} by cause */
const standing = new Map();
let staysUntil = 0;
let timer = 0;
/** The quiet message that waits until the announced one has been shown long enough. */
let waiting = "";

/** Show and announce a message that the next one may replace. @param {string} text @param {string} [kind] */
export function passingWord(text, kind = "") {
  write(text, kind);
  staysUntil = text ? performance.now() + STAYS_MS : 0;
  if (text) announce(text);
}

/** Show a message without announcing it, such as one that follows every answer. @param {string} text @param {string} [kind] */
export function quietWord(text, kind = "") {
  clearTimeout(timer);
  const wait = staysUntil - performance.now();
  waiting = text;
  if (wait <= 0) write(text, kind);
  else timer = setTimeout(() => write(text, kind), wait);
}

/** Remove a passing message if nothing has replaced it. @param {string} text */
export function unsay(text) {
  if (!text) return;
  if (waiting === text) clearTimeout(timer);
  if (line.textContent === text) write("", "");
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
 * Show a message that stays until `clear(cause)`. Each action in `waysOn` is `{label, href}` or `{label, run}`.
 *
 * @param {string} cause
 * @param {string} text
 * @param {string} kind
 * @param {WayOn[]} [waysOn]
 */
export function standingWord(cause, text, kind, waysOn = []) {
  const before = standing.get(cause);
  if (before?.text === text && before.waysOn.length === waysOn.length) return;
  const element = standingElement(text, kind, waysOn);
  standing.set(cause, { text, kind, waysOn, element });
  if (before) replace(before.element, element);
  else standingPlace.append(element);
  if (before?.kind !== kind) announce(text);
}

/** @param {string} cause */
export function clear(cause) {
  const word = standing.get(cause);
  standing.delete(cause);
  if (word) replace(word.element);
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

/** @param {string} text @param {string} kind @param {WayOn[]} waysOn */
function standingElement(text, kind, waysOn) {
  const element = document.createElement("p");
  element.className = "standing-word";
  element.dataset.kind = kind;
  element.append(text);
  if (!waysOn.length) return element;
  const ways = Object.assign(document.createElement("span"), { className: "status-ways" });
  ways.dataset.statusWays = "";
  ways.append(...waysOn.map(wayOn));
  element.append(" ", ways);
  return element;
}

/** @param {WayOn} way */
function wayOn({ label, href, run }) {
  const looks = { className: "button quiet", textContent: label };
  if (href !== undefined) return Object.assign(document.createElement("a"), looks, { href, target: "_blank", rel: "noopener" });
  const button = Object.assign(document.createElement("button"), looks, { type: "button" });
  button.addEventListener("click", run);
  return button;
}
