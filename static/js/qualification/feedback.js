/** What was expected on a pair of the training, beside the person's answer. Marked by shape and words, not by colour alone. */

import { one, say } from "../page/dom.js";
import { announce } from "../page/status.js";

const panel = one("[data-feedback]");
const title = one("[data-feedback-title]", panel);
const list = one("[data-feedback-rows]", panel);
const rowTemplate = one("template[data-feedback-row]");

export const showsFeedback = () => !panel.hidden;
export const feedbackPanel = panel;

/** @param {Qualification.Feedback[]} rows */
export function showFeedback(rows) {
  const wrong = rows.filter(({ right }) => !right).length;
  title.textContent = wrong ? say("some_otherwise", { n: wrong, all: rows.length }) : say("all_as_expected");
  list.replaceChildren(...rows.map(made));
  panel.hidden = false;
  document.body.setAttribute("data-shows-feedback", "");
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
  announce(title.textContent);
}

export function hideFeedback() {
  panel.hidden = true;
  document.body.removeAttribute("data-shows-feedback");
  list.replaceChildren();
}

/** @param {Qualification.Feedback} row */
function made({ question, answer, expected, right, explanation }) {
  const copy = /** @type {DocumentFragment} */ (rowTemplate.content.cloneNode(true));
  const part = one(".feedback-row", copy);
  part.toggleAttribute("data-differs", !right);
  part.setAttribute("aria-label", question);
  one("[data-question]", part).textContent = question;
  one("[data-mark]", part).textContent = say(right ? "as_expected" : "otherwise");
  one("[data-answer]", part).textContent = answer;
  one("[data-expected]", part).textContent = expected;
  one("[data-why]", part).textContent = explanation;
  return part;
}
