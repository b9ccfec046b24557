/** While people are being added, shows the progress and ignores a second press of the button. */

import { all, one } from "../page/dom.js";

for (const form of all("form[data-adds-people]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    one("[data-adding]", form).hidden = false;
    one("button", form).setAttribute("aria-disabled", "true");
  });
}

// A page that returns from the browser's cache must be usable again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
