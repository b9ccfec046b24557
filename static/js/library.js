/** The library's lists: filters that leave short addresses behind, and choosing several pairs. */

for (const filters of document.querySelectorAll("[data-filters]")) {
  filters.addEventListener("submit", () => {
    for (const field of filters.elements) field.disabled = field.name !== "" && field.value === "";
  });
  addEventListener("pageshow", () => { for (const field of filters.elements) field.disabled = false; });
}

const bar = document.querySelector("[data-hold]");
if (bar) choosing(bar.querySelector("[data-chosen]"), document.querySelector("[data-choose-all]"));

function choosing(chosen, all) {
  const boxes = [...document.querySelectorAll("[data-choose]")];
  const sentence = chosen.textContent;
  const count = () => {
    const n = boxes.filter((box) => box.checked).length;
    chosen.textContent = sentence.replace("{n}", n);
    all.checked = n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
  };
  all.hidden = chosen.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  addEventListener("pageshow", count); // a browser may have kept the ticks
}
