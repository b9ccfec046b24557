/** Buttons that tick all boxes, no box, or the boxes that the person ticked before. The opened form to withdraw is scrolled into view. */

import { all, around, find, one } from "../page/dom.js";

/** @type {Record<string, (box: HTMLInputElement) => boolean>} */
const ticks = {
  all: () => true,
  none: () => false,
  before: (box) => "before" in box.dataset,
};

for (const boxes of all("[data-boxes]")) {
  one("[data-ticking]", boxes).hidden = false;
  boxes.addEventListener("click", (event) => {
    const wanted = ticks[around(event, "[data-tick]")?.dataset.tick ?? ""];
    if (!wanted) return;
    for (const box of all("input", boxes)) box.checked = wanted(box);
  });
}

const withdraw = find("details.withdraw");
withdraw?.addEventListener("toggle", () => {
  if (withdraw.hasAttribute("open")) withdraw.scrollIntoView({ block: "end" });
});
