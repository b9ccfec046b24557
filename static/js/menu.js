/**
 * Native <details> menus close when somebody presses Escape or turns to something else. `preventDefault` marks such a press
 * as spent, so that it does nothing else (see page/escape.js).
 */

import "./annotation/sign_out.js";
import { anyOpen } from "./page/dialogs.js";
import { all, one } from "./page/dom.js";
import { restFocus, usedPointer } from "./page/focus.js";

for (const menu of all("details[data-menu]")) {
  const close = () => { menu.open = false; };
  let openedByPointer = false;
  menu.addEventListener("toggle", () => {
    openedByPointer = menu.open && usedPointer();
    if (openedByPointer) one(".menu-sheet", menu).focus(); // on its own control Space would close it
  });
  document.addEventListener("pointerdown", ({ target }) => { if (target instanceof Node && !menu.contains(target)) close(); });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open || anyOpen()) return;
    event.preventDefault();
    close();
    if (!openedByPointer || !restFocus()) one("summary", menu).focus();
  }, { capture: true });
}
