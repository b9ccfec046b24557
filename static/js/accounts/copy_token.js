/** Copies a new API token to the clipboard. Without a clipboard the button stays hidden, and the text can be selected. */

import { find, given, one } from "../page/dom.js";

const button = find("button[data-copy-token]");

if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(one("[data-token]").textContent.trim());
    button.textContent = given(button, "copied");
  });
}
