/** The prompt: two lines, and all of it on request; and what each video was made from, where the study shows it. */

import { SIDES, all, one, onAction, say } from "../page/dom.js";

const bar = one(".prompt");
const text = one("[data-prompt]");
const more = one('[data-action="prompt"]');

export function showPrompt(prompt) {
  text.textContent = prompt.text;
  text.lang = prompt.language;
  open(false);
  measure();
}

/** Under each video the text that its generator was given, or that it was the prompt. `texts` by side, or null. */
export function showVideoTexts(texts) {
  const refined = SIDES.some((side) => texts[side] && texts[side] !== text.textContent);
  for (const side of SIDES) {
    const place = one(`[data-video-text="${side}"]`);
    if (!place) return;
    const own = texts[side] && texts[side] !== text.textContent ? texts[side] : say("video_text_prompt");
    place.hidden = !refined;
    place.removeAttribute("data-open");
    place.textContent = own;
    place.title = own;
    place.lang = own === texts[side] ? text.lang : "";
  }
  measure();
}

export function bindPrompt() {
  onAction("prompt", () => open(more.getAttribute("aria-expanded") !== "true"));
  addEventListener("resize", measure);
}

function open(opened) {
  more.setAttribute("aria-expanded", String(opened));
  bar.toggleAttribute("data-open", opened);
  for (const place of all("[data-video-text]")) place.toggleAttribute("data-open", opened);
}

function measure() {
  const opened = bar.hasAttribute("data-open");
  if (opened) return;
  more.hidden = [text, ...all("[data-video-text]:not([hidden])")].every(
    (part) => part.scrollHeight <= part.clientHeight + 1,
  );
}
