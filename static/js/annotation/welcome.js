/** Show the welcome dialog once, before the person's first answer: the two questions and the main keys. */

import { anyOpen, showDialog } from "../page/dialogs.js";
import { one } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";

const NAME = `diptych:${document.body.dataset.person}:welcomed`;
const dialog = one('dialog[data-dialog="welcome"]');

dialog.addEventListener("close", () => write(NAME, true));
dialog.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === dialog) dialog.close(); // the same as the button “Begin”
});

/** Open the dialog for a person who has answered nothing here and has not closed it before. @param {number} answered */
export function welcome(answered) {
  if (answered === 0 && !read(NAME) && !anyOpen()) showDialog(dialog);
}
