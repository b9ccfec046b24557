/** The one line that says what happened: a passing word, or a standing one until its cause is gone. */

import { one } from "./dom.js";

const line = one("[data-status]");
const ways = one("[data-status-ways]");
const standing = new Map();
let passing = { text: "", kind: "" };

/** Says something that the next word may replace. */
export function passingWord(text, kind = "") {
  passing = { text, kind };
  paint();
}

/** Says something that stays until `clear(cause)`. Each way on is `{label, href}` or `{label, run}`. */
export function standingWord(cause, text, kind, waysOn = []) {
  standing.delete(cause);
  standing.set(cause, { text, kind, waysOn });
  paint();
}

export function clear(cause) {
  if (standing.delete(cause)) paint();
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
