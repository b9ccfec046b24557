/** Show the definition of a tag next to it: while the mouse rests on the tag, after a long press, or by key. */

import { around, find, given, one } from "../page/dom.js";
import { form } from "./answer_form.js";
import { navigation } from "./navigation.js";
import { guideline } from "./guideline.js";
import { settings } from "./settings.js";

const RESTS_MS = 450;
const LONG_PRESS_MS = 500;
/** Time in which the mouse can move from the tag to its definition. */
const LEAVES_MS = 250;
/** A finger that moves further than this scrolls. */
const MOVES_PX = 10;
const EDGE_PX = 8;

const answers = one("form[data-answers]");
const box = one("[data-definition]");
const name = one("[data-definition-name]", box);
const words = one("[data-definition-words]", box);
const screen = one('[data-screen="left"]');

/** The tag whose definition is shown. @type {HTMLElement | null} */
let shown = null;
/** The tag on which the mouse rests. @type {HTMLElement | null} */
let hovered = null;
let shownAt = 0;
let timer = 0;
/** Whether the current press has shown a definition. It then sets no tag. */
let isLongPress = false;
/** Whether a finger is on a tag. */
let isPressed = false;

const sight = new IntersectionObserver((entries) => { if (entries.some((entry) => !entry.isIntersecting)) hide(); });

/** Show the definition of a tag. A second call for the same tag changes nothing. @param {HTMLElement} tag */
function show(tag) {
  if (tag === shown) return;
  hide();
  shown = tag;
  shownAt = performance.now();
  const key = given(tag, "tag");
  const covers = one(`[data-covers="${key}"]`);
  name.textContent = given(covers, "label");
  words.textContent = covers.textContent;
  words.lang = document.documentElement.lang;
  box.hidden = false;
  place();
  sight.observe(tag);
  fill(tag, key);
}

/** Show the guideline's text of the tag, up to the list of examples. @param {HTMLElement} tag @param {string} key */
async function fill(tag, key) {
  const section = await guideline.section(`tag-${key}`);
  if (!section || shown !== tag) return;
  const text = document.createElement("template");
  text.innerHTML = section.html; // the server has cleaned it
  const parts = [...text.content.children];
  const list = parts.findIndex((part) => part.matches("ul, ol"));
  const definition = list > 0 ? parts.slice(0, list) : parts;
  if (!definition.length) return;
  words.replaceChildren(...definition);
  words.lang = section.lang;
  place();
}

function hide() {
  clearTimeout(timer);
  if (!shown) return;
  guideline.noteRead(`tag-${given(shown, "tag")}`, (performance.now() - shownAt) / 1000);
  sight.disconnect();
  shown = null;
  box.hidden = true;
}

/** Place the box below or above the tag, wherever there is more space, but never over the videos. */
function place() {
  if (!shown) return;
  const at = shown.getBoundingClientRect();
  const videos = screen.getBoundingClientRect();
  const ceiling = videos.bottom <= at.top ? Math.max(0, videos.bottom) : 0;
  const [above, below] = [at.top - ceiling - EDGE_PX, innerHeight - at.bottom - EDGE_PX];
  box.style.maxHeight = `${Math.max(above, below)}px`;
  const { width, height } = box.getBoundingClientRect();
  const isBelow = below >= height || below >= above;
  box.style.top = `${isBelow ? at.bottom + 2 : at.top - height - 2}px`;
  box.style.left = `${Math.max(EDGE_PX, Math.min(at.left, innerWidth - width - EDGE_PX))}px`;
}

/** Show or hide the definition of the tag with the focus or the mouse, or of the outlined video's first tag. */
export function toggleDefinition() {
  if (shown) {
    hide();
    return true;
  }
  const step = navigation.turn();
  const focused = document.activeElement?.closest("[data-tag]");
  const first = step && form.isTagStep(step) ? form.tagsOf(step)[0] : null;
  const tag = focused ?? hovered ?? first;
  if (!(tag instanceof HTMLElement)) return false;
  show(tag);
  return true;
}

/** Show or hide the definition of the tag at this index of the outlined video. @param {number} index */
export function defineTag(index) {
  const step = navigation.turn();
  const tag = step && form.isTagStep(step) ? form.tagsOf(step).at(index) : null;
  if (!tag) return false;
  if (tag === shown) hide();
  else show(tag);
  return true;
}

/** @param {Event} event */
const tagAt = (event) => around(event, "[data-tag]");

export function bindDefinitions() {
  bindMouse();
  bindFinger();
  answers.addEventListener("focusin", (event) => { // without shortcuts no key shows it
    const tag = tagAt(event);
    if (tag && settings.keys === "off" && find(":focus-visible", tag)) show(tag);
  });
  answers.addEventListener("reset", hide);
  document.addEventListener("scroll", (event) => { if (event.target !== box) hide(); }, { capture: true, passive: true });
  addEventListener("resize", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" || event.key === "Tab") hide(); });
  document.addEventListener("pointerdown", (event) => { if (!around(event, "[data-definition]")) hide(); }, { capture: true });
}

function bindMouse() {
  for (const part of [answers, box]) {
    part.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "mouse") return;
      clearTimeout(timer);
      if (around(event, "[data-definition]")) return;
      const tag = tagAt(event);
      hovered = tag;
      timer = setTimeout(() => (tag ? show(tag) : hide()), tag ? RESTS_MS : LEAVES_MS);
    });
    part.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "mouse") return;
      clearTimeout(timer);
      hovered = null;
      timer = setTimeout(hide, LEAVES_MS);
    });
  }
}

function bindFinger() {
  answers.addEventListener("contextmenu", (event) => { if (isPressed) event.preventDefault(); }); // it comes with a long press
  answers.addEventListener("pointerdown", (event) => {
    isLongPress = false;
    const tag = tagAt(event);
    if (!tag || event.pointerType === "mouse") return;
    const { clientX, clientY } = event;
    const ended = new AbortController();
    const stop = () => { clearTimeout(timer); isPressed = false; ended.abort(); };
    isPressed = true;
    timer = setTimeout(() => { isLongPress = true; show(tag); }, LONG_PRESS_MS);
    answers.addEventListener("pointermove", (move) => {
      if (Math.hypot(move.clientX - clientX, move.clientY - clientY) > MOVES_PX) stop();
    }, { signal: ended.signal });
    for (const ending of ["pointerup", "pointercancel"]) document.addEventListener(ending, stop, { signal: ended.signal });
  });
  answers.addEventListener("click", (event) => {
    if (!isLongPress) return;
    isLongPress = false;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
