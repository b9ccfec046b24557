/** Shows, from the press of the button until the next page, that people are being added, and takes no second press. */

for (const form of document.querySelectorAll("[data-adds-people]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    form.querySelector("[data-adding]").hidden = false;
    form.querySelector("button").setAttribute("aria-disabled", "true");
  });
}

// A page that comes back from the browser's cache can be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
