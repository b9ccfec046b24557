/** The library's lists: filters that leave short addresses behind, and choosing several pairs. */

import { all, find, one } from "../page/dom.js";

for (const filters of all("form[data-filters]")) {
  const fields = () => all("input, select, button", filters);
  filters.addEventListener("submit", () => {
    for (const field of fields()) field.disabled = field.name !== "" && field.value === "";
  });
  addEventListener("pageshow", () => { for (const field of fields()) field.disabled = false; });
}

const bar = find("[data-hold]");
if (bar) choosing(one("[data-chosen]", bar), one("input[data-choose-all]"));

/** @param {HTMLElement} chosen says how many are chosen @param {HTMLInputElement} everything chooses all */
function choosing(chosen, everything) {
  const boxes = all("input[data-choose]");
  const sentence = chosen.textContent;
  const count = () => {
    const n = boxes.filter((box) => box.checked).length;
    chosen.textContent = sentence.replace("{n}", String(n));
    everything.checked = n === boxes.length;
    everything.indeterminate = n > 0 && n < boxes.length;
  };
  everything.hidden = chosen.hidden = false;
  everything.addEventListener("change", () => {
    for (const box of boxes) box.checked = everything.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  addEventListener("pageshow", count); // a browser may have kept the ticks
}
