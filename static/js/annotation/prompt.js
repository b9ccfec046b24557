/** Show two lines of the prompt, or all of it on request. Show the text each video was made from, if the study shows it. */

import { SIDES, all, find, one, onAction, say } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";
import { keepScreens, pageScrolls } from "./split.js";

const NAME = `diptych:${document.body.dataset.person}:prompt-open`;
const bar = one(".prompt");
const text = one("[data-prompt]");
const more = one('button[data-action="prompt"]');
/** Whether long prompts are shown in full. It stays until the person closes one. */
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
 * Show under each video the text that its generator got, or that it got the prompt.
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

/** Open or close a long prompt. Return false if all of it is visible anyway. */
export function togglePrompt() {
  if (more.hidden) return false;
  wantsOpen = !isOpen();
  write(NAME, wantsOpen);
  if (wantsOpen) scrolledBefore = scrollY;
  open(wantsOpen);
  leadTo();
  return true;
}

/** If the whole page scrolls, scroll to the prompt and back. If only the questions scroll, keep the current one visible. */
function leadTo() {
  if (!pageScrolls.matches) find("fieldset[data-current]")?.scrollIntoView({ block: "nearest" });
  else if (wantsOpen) bar.scrollIntoView({ block: "nearest" });
  else scrollTo({ top: scrolledBefore });
}

const isOpen = () => bar.hasAttribute("data-open");
/** Return the elements of the prompt and of the visible video texts. */
const parts = () => [text, ...all("[data-video-text]:not([hidden])")];
/** @param {HTMLElement} part */
const isCut = (part) => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1;

/** Measure the text again, and open it if it is long and the person wants that. */
function fit() {
  open(false);
  more.hidden = !parts().some(isCut);
  if (wantsOpen && !more.hidden) open(true);
}

/**
 * Open or close the prompt. The videos keep their size. An open prompt takes its height from the questions, which can be scrolled.
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
