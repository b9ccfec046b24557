/** The buttons that tick every box, none, or those that were ticked when the person agreed before. */

const ticks = {
  all: () => true,
  none: () => false,
  before: (box) => "before" in box.dataset,
};

for (const boxes of document.querySelectorAll("[data-boxes]")) {
  boxes.querySelector("[data-ticking]").hidden = false;
  boxes.addEventListener("click", (event) => {
    const wanted = ticks[event.target.closest("[data-tick]")?.dataset.tick];
    if (!wanted) return;
    for (const box of boxes.querySelectorAll("input")) box.checked = wanted(box);
  });
}
