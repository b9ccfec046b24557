/** The “Unsure” mark, and the comment if the study asks for comments. */

import { one, onAction } from "../page/dom.js";
import { current } from "./current_pair.js";
import { drafts } from "./drafts.js";

const unsure = one("input[data-unsure]");
const field = one("[data-comment-field]");
const comment = one("textarea[data-comment]", field);
const button = one('button[data-action="comment"]');
const foot = one(".foot");

export function bindRemarks() {
  unsure.addEventListener("change", () => drafts.changed());
  comment.addEventListener("input", () => drafts.changed());
  onAction("comment", () => {
    if (field.hidden || comment.value) openComment();
    else showComment(false);
  });
}

/** Mark the answers as unsure, or remove the mark. */
export function toggleUnsure() {
  if (!current.assignment || current.busy) return false;
  unsure.click();
  return true;
}

/** Open the comment and move the focus there. Return false if the page has no comment. */
export function openComment() {
  if ((button.hidden && field.hidden) || !current.assignment || current.busy) return false;
  showComment(true);
  comment.focus();
  return true;
}

/** @param {boolean} open */
function showComment(open) {
  field.hidden = !open;
  foot.toggleAttribute("data-comment-open", open);
  button.setAttribute("aria-expanded", String(open));
}

/** Show the comment of a new pair if there is one, even if the study no longer asks for comments. */
export function showRemarks() {
  showComment(comment.value !== "");
}
