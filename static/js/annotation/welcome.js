/** The first run: what is asked and the keys that matter, once, before somebody's first answer. */

import { anyOpen, showDialog } from "../page/dialogs.js";
import { one } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";

const NAME = `diptych:${document.body.dataset.person}:welcomed`;
const sheet = one('dialog[data-dialog="welcome"]');

sheet.addEventListener("close", () => write(NAME, true));
sheet.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === sheet) sheet.close(); // “Begin”, without going to the button
});

/** Opens the sheet for somebody who has answered nothing here and has not closed it before. @param {number} answered */
export function welcome(answered) {
  if (answered === 0 && !read(NAME) && !anyOpen()) showDialog(sheet);
}
