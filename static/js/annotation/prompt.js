/** The prompt: two lines, and all of it on request; and what each video was made from, where the study shows it. */

import { SIDES, all, find, one, onAction, say } from "../page/dom.js";

const bar = one(".prompt");
const text = one("[data-prompt]");
const more = one('button[data-action="prompt"]');

/** @param {Api.Prompt} prompt */
export function showPrompt(prompt) {
  text.textContent = prompt.text;
  text.lang = prompt.language;
  open(false);
  measure();
}

/**
 * Under each video the text that its generator was given, or that it was the prompt.
 *
 * @param {BySide<string | null>} texts
 */
export function showVideoTexts(texts) {
  const refined = SIDES.some((side) => texts[side] && texts[side] !== text.textContent);
  for (const side of SIDES) {
    const place = find(`[data-video-text="${side}"]`);
    if (!place) return;
    const given = texts[side];
    const own = given && given !== text.textContent ? given : say("video_text_prompt");
    place.hidden = !refined;
    place.removeAttribute("data-open");
    place.textContent = own;
    place.title = own;
    place.lang = own === given ? text.lang : "";
  }
  measure();
}

export function bindPrompt() {
  onAction("prompt", () => open(more.getAttribute("aria-expanded") !== "true"));
  addEventListener("resize", measure);
}

/** @param {boolean} opened */
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
