/** Reporting what may be illegal: both videos go dark at once, and nothing but “which one” is asked. */

import { openSheet } from "./dialogs.js";
import { one, onAction } from "../page/dom.js";

/**
 * `onOpen()` hides, pauses and mutes both before anything is asked; `onReport(sides)` when somebody confirms. Who
 * closes the sheet without reporting finds both still hidden, and shows them if they want.
 */
export function bindReport({ onOpen, onReport }) {
  const form = one("[data-report-form]");
  onAction("report-illegal", () => {
    onOpen();
    openSheet("report");
  });
  form.addEventListener("submit", () => {
    const which = new FormData(form).get("report-which");
    onReport(which === "both" ? ["left", "right"] : [which]);
  });
  one('[data-dialog="report"]').addEventListener("close", () => form.reset());
}
