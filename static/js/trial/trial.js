/**
 * Trial of the workspace. The address has the current pair, so that the trial continues there after a reload or a lost connection.
 * A dialog shows the data that the last answer would have recorded.
 */

import { openDialog } from "../page/dialogs.js";
import { given, one, onAction } from "../page/dom.js";

const { body } = document;
const base = given(body, "urlLease").split("?")[0];
const button = one('button[data-action="recorded"]');
const list = one("[data-recorded]");

new MutationObserver(() => {
  const pair = body.dataset.assignment;
  if (!pair) return;
  body.dataset.urlLease = `${base}?first=${pair}`;
  history.replaceState(null, "", `?first=${pair}`);
}).observe(body, { attributes: true, attributeFilter: ["data-assignment"] });

addEventListener("diptych:accepted", (event) => {
  /** @type {{ name: string, value: string }[] | undefined} */
  const lines = event instanceof CustomEvent ? event.detail.recorded : undefined;
  if (!lines) return;
  list.replaceChildren(...lines.flatMap(({ name, value }) => [made("dt", name), made("dd", value)]));
  button.disabled = false;
});
onAction("recorded", () => openDialog("recorded"));

/** @param {string} tag @param {string} text */
function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
