/** Lists of the library: leave empty filters out of the address, and select several pairs. */

import { all, find, one } from "../page/dom.js";

for (const filters of all("form[data-filters]")) {
  const fields = () => all("input, select, button", filters);
  filters.addEventListener("submit", () => {
    for (const field of fields()) field.disabled = field.name !== "" && field.value === "";
  });
  addEventListener("pageshow", () => { for (const field of fields()) field.disabled = false; });
}

const bar = find("[data-hold]");
if (bar) bindSelection(one("[data-chosen]", bar), one("input[data-choose-all]"));

/** @param {HTMLElement} counter shows how many pairs are selected @param {HTMLInputElement} everything selects all */
function bindSelection(counter, everything) {
  const boxes = all("input[data-choose]");
  const sentence = counter.textContent;
  const count = () => {
    const n = boxes.filter((box) => box.checked).length;
    counter.textContent = sentence.replace("{n}", String(n));
    everything.checked = n === boxes.length;
    everything.indeterminate = n > 0 && n < boxes.length;
  };
  everything.hidden = counter.hidden = false;
  everything.addEventListener("change", () => {
    for (const box of boxes) box.checked = everything.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  addEventListener("pageshow", count); // the browser may have restored the checkboxes
}
