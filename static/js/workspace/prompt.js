/** The prompt: two lines, and all of it on request. */

import { one, onAction } from "./dom.js";

const bar = one(".prompt");
const text = one("[data-prompt]");
const more = one('[data-action="prompt"]');

export function showPrompt(prompt) {
  text.textContent = prompt.text;
  text.lang = prompt.language;
  open(false);
  measure();
}

export function bindPrompt() {
  onAction("prompt", () => open(more.getAttribute("aria-expanded") !== "true"));
  addEventListener("resize", measure);
}

function open(opened) {
  more.setAttribute("aria-expanded", String(opened));
  bar.toggleAttribute("data-open", opened);
}

function measure() {
  const opened = bar.hasAttribute("data-open");
  if (!opened) more.hidden = text.scrollHeight <= text.clientHeight + 1;
}
