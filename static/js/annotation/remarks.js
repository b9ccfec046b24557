/** What a person says besides the answers: that they are unsure, and a comment where the study asks for one. */

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

/** Marks the answers as unsure, or takes that back. */
export function turnUnsure() {
  if (!current.assignment || current.busy) return false;
  unsure.click();
  return true;
}

/** Opens the comment and leads there. Return false where the page offers none. */
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

/** A pair is on the page: its comment is in sight if there is one, also where the study no longer asks for comments. */
export function showRemarks() {
  showComment(comment.value !== "");
}
