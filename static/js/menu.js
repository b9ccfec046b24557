/**
 * Native <details> menus close when somebody presses Escape or turns to something else. `preventDefault` marks such a press
 * as spent, so that it does nothing else (see page/escape.js).
 */

import "./sign_out.js";

for (const menu of document.querySelectorAll("details[data-menu]")) {
  const close = () => { menu.open = false; };
  document.addEventListener("pointerdown", (event) => { if (!menu.contains(event.target)) close(); });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    close();
    menu.querySelector("summary").focus();
  }, { capture: true });
}
