/** The editor of the guideline: it stores a draft in this browser, and previews each text below it. */

import { csrfToken } from "../page/csrf.js";
import { all, around, find, given, one } from "../page/dom.js";
import { clockTime } from "../page/times.js";

const SAVE_MS = 400;
const PREVIEW_MS = 400;
const AGAIN_MS = 5000;
const form = one("form[data-editor]");
const previewUrl = given(form, "previewUrl");
const NAME = `diptych:${form.dataset.person}:guideline-draft:${form.dataset.study}`;

/** @param {HTMLElement} root */
const columnIn = (root) => ({
  language: given(root, "column"),
  text: one("textarea", root),
  preview: one("[data-preview]", root),
  trouble: one("[data-preview-trouble]", root),
  asking: new AbortController(),
  timer: 0,
});

/** @typedef {ReturnType<typeof columnIn>} Column a language's text and preview */
/** @typedef {Record<string, string>} Texts texts by language */

const columns = all("[data-column]", form).map(columnIn);
const follows = one("input[data-follows-field]", form);
const discard = one("button[data-action=discard]", form);
const words = Object.fromEntries(all("[data-draft]", form).map((word) => [given(word, "draft"), word]));
const sentences = Object.fromEntries(Object.entries(words).map(([name, word]) => [name, word.textContent]));
const initial = { follows: follows.value, texts: texts() };
let comparing = false;
let saving = 0;

function texts() {
  return Object.fromEntries(columns.map(({ language, text }) => [language, text.value]));
}

/** @param {Texts} these @param {Texts} those */
const same = (these, those) => columns.every(({ language }) => these[language] === those[language]);

/** Shows the state of the draft, or nothing for "". @param {string} state @param {number} [at] */
function showState(state, at = Date.now()) {
  for (const [name, word] of Object.entries(words)) {
    word.hidden = name !== state;
    if (name === state) word.textContent = sentences[name].replace("{time}", clockTime(at));
  }
}

// --- The draft --------------------------------------------------------------------------------------

/** @returns {{ follows: string, texts: Texts, at: number } | null} */
function storedDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem(NAME) ?? "null");
    return draft?.texts && columns.every(({ language }) => typeof draft.texts[language] === "string") ? draft : null;
  } catch {
    return null;
  }
}

function saveDraft() {
  clearTimeout(saving);
  saving = 0;
  const unchanged = !("sent" in form.dataset) && same(texts(), initial.texts) && follows.value === initial.follows;
  try {
    if (unchanged) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, JSON.stringify({ follows: follows.value, texts: texts(), at: Date.now() }));
    showState(unchanged ? "" : "kept");
  } catch {
    showState("refused");
  }
  discard.hidden = unchanged;
}

function deleteDraft() {
  clearTimeout(saving);
  saving = 0;
  try {
    localStorage.removeItem(NAME);
  } catch {
    // Without storage there is no draft.
  }
}

/** Restores the stored draft, unless it was published or is the same as the page. */
function restoreDraft() {
  const draft = storedDraft();
  if (!draft) return;
  if (Number(draft.follows) < Number(form.dataset.published) || same(draft.texts, initial.texts)) {
    deleteDraft();
    return;
  }
  for (const { language, text } of columns) text.value = draft.texts[language];
  follows.value = draft.follows;
  one("[data-stale]", form).hidden = draft.follows === initial.follows;
  discard.hidden = false;
  showState("back", draft.at);
  for (const column of columns) updatePreview(column);
}

// --- The preview ------------------------------------------------------------------------------------

/** @param {Column} column */
async function updatePreview(column) {
  clearTimeout(column.timer);
  column.asking.abort();
  column.asking = new AbortController();
  const { signal } = column.asking;
  const body = new URLSearchParams({ language: column.language, text: column.text.value });
  if (comparing) body.set("changes", "1");
  try {
    const response = await fetch(previewUrl, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, body, signal, redirect: "error" });
    if (!response.ok) throw new Error(String(response.status));
    const html = await response.text();
    if (signal.aborted) return;
    column.preview.innerHTML = html; // the server has cleaned it
    column.trouble.hidden = true;
  } catch {
    if (signal.aborted) return;
    column.trouble.hidden = false;
    column.timer = setTimeout(() => updatePreview(column), AGAIN_MS);
  }
}

for (const column of columns) {
  column.text.addEventListener("input", () => {
    clearTimeout(saving);
    saving = setTimeout(saveDraft, SAVE_MS);
    clearTimeout(column.timer);
    column.timer = setTimeout(() => updatePreview(column), PREVIEW_MS);
  });
}

addEventListener("online", () => { for (const column of columns) if (!column.trouble.hidden) updatePreview(column); });

const previewModes = one("[data-showing]", form);
previewModes.hidden = false;
previewModes.addEventListener("click", (event) => {
  const button = around(event, "[data-show]");
  if (!button) return;
  comparing = button.dataset.show === "changes";
  for (const other of all("[data-show]", previewModes)) other.setAttribute("aria-pressed", String(other === button));
  for (const column of columns) updatePreview(column);
});

discard.addEventListener("click", () => {
  deleteDraft();
  location.assign(location.pathname);
});
find("[data-action=drop-draft]")?.addEventListener("click", deleteDraft);
addEventListener("pagehide", () => { if (saving && !discard.hidden) saveDraft(); });

if ("sent" in form.dataset) saveDraft();
else restoreDraft();
find("[data-problems]")?.focus();
