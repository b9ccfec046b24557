/** For a pair that was returned: say why, and show the reviewer's comment. */

import { one, say } from "../page/dom.js";

const line = one("[data-returned]");

/** @param {Api.Assignment} assignment */
export function showReturned({ returned }) {
  line.hidden = !returned;
  if (!returned) return;
  const why = say(`again_${returned.reason}`);
  line.textContent = why;
  if (!returned.comment) return;
  const comment = Object.assign(document.createElement("bdi"), { className: "verbatim", dir: "auto", textContent: returned.comment });
  const [before, after] = say("again_comment", { comment: "\n" }).split("\n");
  line.append(` ${before}`, comment, after);
}
