/** Sends the time zone of this browser with the sign-in form. It is stored at a person's first sign-in. */

import { find } from "../page/dom.js";
import { browserZone } from "../page/times.js";

// Set when the form is sent, because a refused request replaces the form.
document.addEventListener("submit", () => {
  const input = find("input[data-browser-zone]");
  if (input) input.value = browserZone();
}, { capture: true });
