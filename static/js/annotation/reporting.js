/** Reporting what may be illegal: both videos go dark at once, and nothing but “which one” is asked. */

import { openDialog } from "../page/dialogs.js";
import { SIDES, one, onAction } from "../page/dom.js";
import { hideVideos } from "./hiding.js";
import { report } from "./session.js";

const form = one("form[data-report-form]");

/** Who closes the dialog without reporting finds both videos still hidden, and shows them if they want. */
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
