/**
 * The one line that says what happened: a passing word, or a standing one until its cause is gone.
 * What is worth interrupting for is announced too, each once: `[data-announce]` is the page's only live region.
 */

import { one } from "./dom.js";

const line = one("[data-status]");
const ways = one("[data-status-ways]");
const announcer = one("[data-announce]");
const standing = new Map();
let passing = { text: "", kind: "" };

/** Says something that the next word may replace. */
export function passingWord(text, kind = "") {
  quietWord(text, kind);
  if (text) announce(text);
}

/** The same, seen only: what happens with every answer is not read out. */
export function quietWord(text, kind = "") {
  passing = { text, kind };
  paint();
}

/** Takes a passing word back, if nothing has replaced it. */
export function unsay(text) {
  if (passing.text === text) quietWord("");
}

/** Says something that stays until `clear(cause)`. Each way on is `{label, href}` or `{label, run}`. */
export function standingWord(cause, text, kind, waysOn = []) {
  const before = standing.get(cause);
  if (before?.text === text && before.waysOn.length === waysOn.length) return;
  standing.delete(cause);
  standing.set(cause, { text, kind, waysOn });
  paint();
  if (before?.kind !== kind || !before) announce(text);
}

export function clear(cause) {
  if (standing.delete(cause)) paint();
}

/** Read out by screen readers when they are done with what they are saying. */
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

function wayOn({ label, href, run }) {
  const control = document.createElement(href ? "a" : "button");
  control.className = "button quiet";
  control.textContent = label;
  if (href) {
    Object.assign(control, { href, target: "_blank", rel: "noopener" });
  } else {
    control.type = "button";
    control.addEventListener("click", run);
  }
  return control;
}
