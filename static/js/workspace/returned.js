/** A pair that is back: why, and what review says of it. */

import { one, say } from "../page/dom.js";

const line = one("[data-returned]");

export function showReturned({ returned }) {
  line.hidden = !returned;
  if (returned) line.textContent = returned.comment ? say("returned_with", { comment: returned.comment }) : say("returned");
}
