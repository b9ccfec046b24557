/**
 * The rows that a reviewer judges, each with its answers and the possible rulings. Rows that differ are marked by shape and words.
 * All of it works by keyboard: arrows go from row to row, a digit sets the ruling of the current row, a second one its reason.
 */

import { all, around, find, one, say } from "../page/dom.js";
import { TEXT } from "../page/controls.js";

const panel = one("[data-judging]");
const list = one("[data-judge-rows]", panel);
const reply = one("[data-reply]", panel);
const closing = one("textarea[data-closing]", panel);
const rowTemplate = one("template[data-judge-row]");
const codesTemplate = one("template[data-codes]");
const tagsTemplate = one("template[data-own-tags]");

/** @type {Qc.Judging | null} */
let judging = null;
/** @type {Api.VideoKey} */
let left = "video_0";
let at = 0;

const rows = () => all("fieldset[data-judge]", list);
const currentRow = () => rows()[at] ?? null;
export const isJudging = () => judging !== null;

/** Show the rows of a review. @param {Qc.Review} review */
export function showJudging(review) {
  judging = review.judging;
  left = review.left;
  panel.hidden = judging === null;
  if (!judging) return;
  const { mode } = judging;
  for (const words of all("[data-judge-mode]", panel)) words.hidden = words.dataset.judgeMode !== mode;
  reply.hidden = judging.reply === null;
  one("[data-reply-text]", reply).textContent = judging.reply ?? "";
  closing.value = "";
  list.replaceChildren(...judging.rows.map((row, index) => made(row, index, mode)));
  const first = judging.rows.findIndex(({ differs }) => differs);
  go(Math.max(0, first));
}

export function hideJudging() {
  judging = null;
  panel.hidden = true;
  list.replaceChildren();
}

/** @param {Qc.Row} row @param {number} index @param {string} mode */
function made(row, index, mode) {
  const copy = /** @type {DocumentFragment} */ (rowTemplate.content.cloneNode(true));
  const field = one("fieldset[data-judge]", copy);
  field.dataset.judge = String(index);
  field.toggleAttribute("data-differs", row.differs);
  one("[data-question]", field).textContent = [row.group, row.question].filter(Boolean).join(" · ");
  const marks = mode !== "verdicts" ? "" : row.answers.length < 2 ? "" : say(row.differs ? "differs" : "same");
  one("[data-mark]", field).textContent = marks;
  one("[data-given]", field).append(...row.answers.map(({ name, text }) => answerOf(name, text)));
  one("[data-note]", field).textContent = row.note;
  const choices = one(`template[data-rulings="${mode}"]`).content.cloneNode(true);
  one("[data-choices]", field).append(choices);
  for (const input of all('input[type="radio"]', field)) input.name = `ruling-${index}`;
  const isTags = row.row.startsWith("tags_");
  if (!isTags) find('label:has(input[value="corrected"])', field)?.remove();
  return field;
}

/** @param {string} name @param {string} text */
function answerOf(name, text) {
  const part = document.createElement("span");
  part.className = "judge-answer";
  const label = document.createElement("b");
  label.textContent = name;
  part.append(label, " ", text);
  return part;
}

/** Go to a row. @param {number} index */
function go(index) {
  at = Math.min(Math.max(0, index), rows().length - 1);
  for (const [place, row] of rows().entries()) row.toggleAttribute("data-current", place === at);
  const row = currentRow();
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

/** Return the chosen ruling of a row, or an empty text. @param {HTMLElement} row */
const rulingOf = (row) => find('[data-choices] input[type="radio"]:checked', row)?.value ?? "";

/** Open what a ruling needs: a reason, the right tags, a comment. @param {HTMLElement} field */
function open(field) {
  const ruling = rulingOf(field);
  const row = judging?.rows[Number(field.dataset.judge)];
  const more = one("[data-more]", field);
  more.replaceChildren();
  field.removeAttribute("data-asks-code");
  one("[data-comment-line]", field).hidden = ruling === "" || ruling === "fine";
  if (!row || judging?.mode !== "verdicts") return;
  const needsTags = row.row.startsWith("tags_") && (ruling === "corrected" || (ruling === "defect" && row.answers.length < 2));
  if (ruling === "defect") {
    more.append(codesTemplate.content.cloneNode(true));
    for (const input of all('[data-code] input[type="radio"]', more)) input.name = `code-${field.dataset.judge}`;
    field.setAttribute("data-asks-code", "");
  }
  if (needsTags) {
    more.append(tagsTemplate.content.cloneNode(true));
    const tagged = row.answers.at(-1)?.value ?? [];
    for (const box of all('[data-own] input[type="checkbox"]', more)) box.checked = tagged.includes(box.value);
    if (ruling === "corrected") find('[data-own] input[type="checkbox"]', more)?.focus();
  }
}

list.addEventListener("change", (event) => {
  const [input, field] = [around(event, "input"), around(event, "fieldset[data-judge]")];
  if (!field) return;
  go(Number(field.dataset.judge));
  if (input?.closest("[data-choices]")) open(field);
  if (input?.closest("[data-code]")) field.removeAttribute("data-asks-code");
});
list.addEventListener("focusin", (event) => {
  const field = around(event, "fieldset[data-judge]");
  if (!field || Number(field.dataset.judge) === at) return;
  at = Number(field.dataset.judge);
  for (const [place, row] of rows().entries()) row.toggleAttribute("data-current", place === at);
});

/** Choose the nth option of the current row: its ruling, or its reason while one is asked for. @param {number} number */
function choose(number) {
  const field = currentRow();
  if (!field) return;
  const asksCode = field.hasAttribute("data-asks-code");
  const options = all(`${asksCode ? "[data-code]" : "[data-choices]"} input[type="radio"]`, field);
  const option = options[number - 1];
  if (!option) return;
  option.checked = true;
  option.dispatchEvent(new Event("change", { bubbles: true }));
  const waits = field.hasAttribute("data-asks-code") || field.contains(document.activeElement && document.activeElement.closest("[data-own]"));
  if (!waits) advance();
}

/** Go to the next row that still needs a ruling. */
function advance() {
  const next = rows().findIndex((row, index) => index > at && row.hasAttribute("data-differs") && !rulingOf(row));
  if (next >= 0) go(next);
}

document.addEventListener("keydown", (event) => {
  const { activeElement } = document;
  if (!isJudging() || event.defaultPrevented || event.isComposing || event.altKey || event.metaKey || event.ctrlKey) return;
  const inField = activeElement?.matches(`${TEXT}, textarea, input`) && panel.contains(activeElement);
  if (inField && event.code === "Enter" && !event.shiftKey) go(at);
  else if (find("dialog[open]") || inField || (activeElement?.matches(TEXT) ?? false)) return;
  else if (event.code === "ArrowDown") go(at + 1);
  else if (event.code === "ArrowUp") go(at - 1);
  else if (/^(Digit|Numpad)[1-9]$/.test(event.code)) choose(Number(event.code.slice(-1)));
  else if (event.code === "KeyC" && !event.shiftKey) comment();
  else return;
  event.preventDefault();
}, { capture: true });

/** Write a comment on the current row. */
function comment() {
  const field = currentRow();
  if (!field) return;
  one("[data-comment-line]", field).hidden = false;
  one("input[data-row-comment]", field).focus();
}

/** Return the row that still needs something, or null. Go there. */
export function missing() {
  if (!judging) return null;
  const place = judging.rows.findIndex((row, index) => {
    const field = rows()[index];
    const ruling = rulingOf(field);
    if (row.differs && !ruling) return true;
    return ruling === "defect" && judging?.mode === "verdicts" && !find("[data-code] input:checked", field);
  });
  if (place < 0) return null;
  go(place);
  return judging.rows[place].question;
}

/** Return the body of the request: verdicts, or opinions. */
export function collected() {
  const { mode = "verdicts" } = judging ?? {};
  const found = (judging?.rows ?? []).map((row, index) => ({ row, field: rows()[index] })).filter(({ field }) => rulingOf(field));
  if (mode === "verdicts") return { verdicts: found.map(({ row, field }) => verdict(row, field)) };
  const opinions = found.map(({ row, field }) => ({ verdict: row.verdict, says: rulingOf(field), comment: commentOf(field) }));
  return { opinions, closing: closing.value.trim() };
}

/** @param {HTMLElement} field */
const commentOf = (field) => one("input[data-row-comment]", field).value.trim();

/** @param {Qc.Row} row @param {HTMLElement} field */
function verdict(row, field) {
  const ruling = rulingOf(field);
  const code = ruling === "defect" ? (find("[data-code] input:checked", field)?.value ?? "") : "";
  const body = { review: row.review, annotation: row.annotation, row: row.row, ruling, code, comment: commentOf(field) };
  const boxes = find("[data-own]", field);
  if (boxes) return { ...body, own: all("input:checked", boxes).map((box) => box.value) };
  if (ruling !== "defect" || row.answers.length > 1) return body;
  return { ...body, own: other(String(row.answers[0].value)) };
}

/** The other choice, for a reviewer who did not answer the pair: a forced choice has one. @param {string} value */
const other = (value) => (value === "video_0" ? "video_1" : value === "video_1" ? "video_0" : left);

