/** The prompt: two lines, and all of it on request; and what each video was made from, where the study shows it. */

import { SIDES, all, find, one, onAction, say } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";
import { keepScreens, pageScrolls } from "./split.js";

const NAME = `diptych:${document.body.dataset.person}:prompt-open`;
const bar = one(".prompt");
const text = one("[data-prompt]");
const more = one('button[data-action="prompt"]');
/** Whether the person wants long prompts open. It lasts until they close one. */
let wantsOpen = read(NAME) === true;
/** How far the page was scrolled when the prompt was opened. */
let scrolledBefore = 0;

/** @param {Api.Prompt} prompt */
export function showPrompt(prompt) {
  text.textContent = prompt.text;
  text.lang = prompt.language;
  text.scrollTop = 0;
  fit();
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
    place.textContent = own;
    place.title = own;
    place.lang = own === given ? text.lang : document.documentElement.lang;
  }
  fit();
}

export function bindPrompt() {
  onAction("prompt", togglePrompt);
  addEventListener("resize", fit);
  document.fonts?.addEventListener("loadingdone", fit);
  new ResizeObserver(() => { if (!isOpen()) fit(); }).observe(bar);
}

/** Opens a long prompt, or closes it. Return false if all of it is in sight anyway. */
export function togglePrompt() {
  if (more.hidden) return false;
  wantsOpen = !isOpen();
  write(NAME, wantsOpen);
  if (wantsOpen) scrolledBefore = scrollY;
  open(wantsOpen);
  leadTo();
  return true;
}

/** Where the whole page scrolls: to the prompt, and back. Where only the questions scroll: the present one stays in sight. */
function leadTo() {
  if (!pageScrolls.matches) find("fieldset[data-current]")?.scrollIntoView({ block: "nearest" });
  else if (wantsOpen) bar.scrollIntoView({ block: "nearest" });
  else scrollTo({ top: scrolledBefore });
}

const isOpen = () => bar.hasAttribute("data-open");
/** The prompt, and what the videos were made from where that is shown. */
const parts = () => [text, ...all("[data-video-text]:not([hidden])")];
/** @param {HTMLElement} part */
const isCut = (part) => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1;

/** Measures the text anew, and opens it if it is long and the person wants that. */
function fit() {
  open(false);
  more.hidden = !parts().some(isCut);
  if (wantsOpen && !more.hidden) open(true);
}

/**
 * The videos keep their size and are not covered: an open prompt takes its height from the questions, which can be scrolled.
 *
 * @param {boolean} opened
 */
function open(opened) {
  if (opened === isOpen()) return;
  if (opened) keepScreens(true);
  more.setAttribute("aria-expanded", String(opened));
  bar.toggleAttribute("data-open", opened);
  for (const place of all("[data-video-text]")) place.toggleAttribute("data-open", opened);
  for (const part of parts()) {
    if (opened && isCut(part)) part.tabIndex = 0; // so that arrow keys scroll it
    else part.removeAttribute("tabindex");
  }
  if (!opened) keepScreens(false);
}
