/** Report illegal content. Both videos are hidden immediately, and the dialog only asks which video it is. */

import { openDialog } from "../page/dialogs.js";
import { SIDES, one, onAction } from "../page/dom.js";
import { hideVideos } from "./hiding.js";
import { report } from "./session.js";

const form = one("form[data-report-form]");

/** Bind the dialog. After a person closes it without reporting, both videos stay hidden until the person shows them. */
export function bindReporting() {
  onAction("report-illegal", () => {
    hideVideos(); // before anything is asked
    openDialog("report");
  });
  form.addEventListener("submit", () => {
    const which = new FormData(form).get("report-which");
    report(SIDES.filter((side) => which === "both" || which === side));
  });
  one('dialog[data-dialog="report"]').addEventListener("close", () => form.reset());
}
