/**
 * The one line that says what happened: a passing word, or a standing one until its cause is gone.
 * What is worth interrupting for is announced too, each once: `[data-announce]` is the page's only live region.
 */

import { one } from "./dom.js";

const line = one("[data-status]");
const ways = one("[data-status-ways]");
const announcer = one("[data-announce]");

/** @typedef {{ label: string, href: string, run?: undefined } | { label: string, run: () => void, href?: undefined }} WayOn */
/** @typedef {{ text: string, kind: string, waysOn?: WayOn[] }} Word `kind`: "", "good", "warn" or "bad", for the style. */

/** @type {Map<string, Word>} */
const standing = new Map();
/** @type {Word} */
let passing = { text: "", kind: "" };

/** Says something that the next word may replace. @param {string} text @param {string} [kind] */
export function passingWord(text, kind = "") {
  quietWord(text, kind);
  if (text) announce(text);
}

/** The same, seen only: what happens with every answer is not read out. @param {string} text @param {string} [kind] */
export function quietWord(text, kind = "") {
  passing = { text, kind };
  paint();
}

/** Takes a passing word back, if nothing has replaced it. @param {string} text */
export function unsay(text) {
  if (passing.text === text) quietWord("");
}

/**
 * Says something that stays until `clear(cause)`. Each way on is `{label, href}` or `{label, run}`.
 *
 * @param {string} cause
 * @param {string} text
 * @param {string} kind
 * @param {WayOn[]} [waysOn]
 */
export function standingWord(cause, text, kind, waysOn = []) {
  const before = standing.get(cause);
  if (before?.text === text && before.waysOn?.length === waysOn.length) return;
  standing.delete(cause);
  standing.set(cause, { text, kind, waysOn });
  paint();
  if (before?.kind !== kind || !before) announce(text);
}

/** @param {string} cause */
export function clear(cause) {
  if (standing.delete(cause)) paint();
}

/** Read out by screen readers when they are done with what they are saying. @param {string} text */
export function announce(text) {
  announcer.textContent = text;
}

function paint() {
  const word = [...standing.values()].at(-1) ?? passing;
  if (line.textContent !== word.text) line.textContent = word.text;
  line.title = word.text;
  line.dataset.kind = word.kind;
  ways.replaceChildren(...(word.waysOn ?? []).map(wayOn));
}

/** @param {WayOn} way */
function wayOn({ label, href, run }) {
  const looks = { className: "button quiet", textContent: label };
  if (href !== undefined) return Object.assign(document.createElement("a"), looks, { href, target: "_blank", rel: "noopener" });
  const button = Object.assign(document.createElement("button"), looks, { type: "button" });
  button.addEventListener("click", run);
  return button;
}
