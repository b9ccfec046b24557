/** The sign-in form tells the server the time zone of this browser, which is stored at a person's first sign-in. */

import { find } from "../page/dom.js";
import { browserZone } from "../page/times.js";

// As the form is sent: after a refused request another form has taken its place.
document.addEventListener("submit", () => {
  const input = find("input[data-browser-zone]");
  if (input) input.value = browserZone();
}, { capture: true });
