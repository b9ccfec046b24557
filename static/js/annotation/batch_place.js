/**
 * Show the position of the current pair in its batch: “13 of 50”. The page asks the server once for each batch, and again after a
 * while, because others answer its pairs too. Between two requests the page counts its own answers.
 */

import { all, find, say } from "../page/dom.js";
import { Refused, Trouble, send } from "./api.js";
import { current } from "./current_pair.js";
import { outbox } from "./outbox.js";
import { currentProblem } from "./trouble.js";

/** Address of the person's progress. A page without it shows no position. */
const address = document.body.dataset.urlOwnProgress;
const ASK_AGAIN_MS = 5 * 60_000;
const LOOK_MS = 5000;
/** The server stops counting at this number. */
const MOST_LEFT = 10_000;

/** @type {{ number: number, answered: number, left: number, at: number } | null} `at`: time of the response */
let place = null;
let asking = false;

export function bindBatchPlace() {
  setInterval(ask, LOOK_MS);
}

/** Show the position of the current pair. @param {boolean} isOpen whether the pair is still to be answered */
export function showBatchPlace(isOpen) {
  paint(isOpen);
  if (isOpen) ask();
}

/** Count the end of the current pair, which does not come back. @param {boolean} isAnswered */
export function countInBatch(isAnswered) {
  if (place === null || place.number !== current.assignment?.batch) return;
  place.answered += Number(isAnswered);
  place.left = Math.max(0, place.left - 1);
}

/** Ask the server if the position is unknown or old, and no answer waits to be sent: the server would not count it. */
async function ask() {
  const number = current.assignment?.batch;
  const isKnown = place !== null && place.number === number && performance.now() - place.at < ASK_AGAIN_MS;
  const mustWait = asking || current.busy || outbox.waits || currentProblem() || document.hidden;
  if (!address || number === undefined || isKnown || mustWait) return;
  asking = true;
  try {
    /** @type {Api.OwnProgress} */
    const { batch } = await send("GET", `${address}?batch=${number}`);
    const isStill = current.assignment?.batch === number && !outbox.waits;
    if (batch && isStill) place = { ...batch, at: performance.now() };
    if (isStill) paint(!document.body.hasAttribute("data-revising-open"));
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Trouble)) throw error;
    if (error instanceof Refused) place = { number, answered: 0, left: 0, at: performance.now() };
  } finally {
    asking = false;
  }
}

/** @param {boolean} isOpen */
function paint(isOpen) {
  const isKnown = isOpen && place !== null && place.number === current.assignment?.batch && place.left > 0;
  const words = isKnown && place ? inWords(place) : "";
  for (const spot of all("[data-batch-place]")) spot.textContent = words;
  const row = find("[data-batch-place-row]");
  if (row) row.hidden = !words;
}

/** @param {{ number: number, answered: number, left: number }} known */
const inWords = ({ number, answered, left }) =>
  say("batch_place", { n: answered + 1, all: left > MOST_LEFT ? `${MOST_LEFT}+` : answered + left, batch: number });
