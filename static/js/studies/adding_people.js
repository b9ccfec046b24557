/** Shows, from the press of the button until the next page, that people are being added, and takes no second press. */

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

// A page that comes back from the browser's cache can be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
