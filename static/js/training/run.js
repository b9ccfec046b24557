/** Updates the loss curve and the end of the log of a run that is not done yet, when its worker has reported more. */

import { drawChart } from "../charts/charts.js";
import { given, one } from "../page/dom.js";

/** The shortest time between two requests. */
const APART_MS = 5000;

/** @typedef {{ chart: object | null, about: string, rows: string[][], log: string }} Curve */

const root = one("[data-curve]");
let shown = "";
let asked = 0;

document.addEventListener("progress-read", async (event) => {
  const { reported } = /** @type {CustomEvent} */ (event).detail;
  if (reported === shown || Date.now() - asked < APART_MS) return;
  asked = Date.now();
  const reply = await fetch(given(root, "curve"), { headers: { Accept: "application/json" }, redirect: "error" }).catch(() => null);
  if (!reply?.ok) return;
  show(await reply.json());
  shown = reported;
});

/** @param {Curve} curve */
function show({ chart, about, rows, log }) {
  one("[data-loss]").hidden = !chart;
  if (chart) {
    const plot = one("[data-loss] .plot");
    plot.setAttribute("aria-label", about);
    drawChart(plot, chart);
  }
  one("[data-loss-rows]").replaceChildren(...rows.map(asRow));
  one("[data-log-end]").hidden = !log;
  showLog(log);
}

/** Stays at the end of the log if the reader is there. @param {string} log */
function showLog(log) {
  const text = one("[data-log-text]");
  const frame = text.parentElement ?? text;
  const isAtEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 40;
  if (text.textContent !== log) text.textContent = log;
  if (isAtEnd) frame.scrollTop = frame.scrollHeight;
}

/** @param {string[]} cells */
function asRow(cells) {
  const row = document.createElement("tr");
  for (const words of cells) {
    const cell = document.createElement("td");
    cell.className = "number";
    cell.textContent = words;
    row.append(cell);
  }
  return row;
}
