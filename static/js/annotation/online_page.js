/**
 * What pages share on which people judge pairs outside ordinary work: reviews, calibrations and qualification. These pages need a
 * connection, because nothing is kept in the browser.
 */

import { openDialog } from "../page/dialogs.js";
import { SIDES, around, find, one, onAction } from "../page/dom.js";
import { bindRestingFocus } from "../page/focus.js";
import { playerKeys } from "../player/player_keys.js";
import { answering } from "./answering.js";
import { form } from "./answer_form.js";
import { Refused } from "./api.js";
import { current } from "./current_pair.js";
import { bindDefinitions, defineTag, toggleDefinition } from "./definitions.js";
import { panel, panelShown } from "./empty.js";
import { guideline } from "./guideline.js";
import { hideVideos, setHidden } from "./hiding.js";
import { bindKeys } from "./keys.js";
import { navigation } from "./navigation.js";
import * as view from "./pair_view.js";
import { bindPrompt, togglePrompt } from "./prompt.js";
import { bindRemarks, toggleUnsure } from "./remarks.js";
import { keepServerTime } from "./server_time.js";
import { bindSettings, settings } from "./settings.js";
import { bindSignIn } from "./sign_in.js";
import { bindSplit } from "./split.js";
import { currentProblem, retryUntilResponse, watchTrouble } from "./trouble.js";
import { player } from "./videos.js";

/**
 * Send a request until the server responds, and pass the response on, or the refusal.
 *
 * @param {() => Promise<any>} request
 * @param {(response: any) => void} then
 * @param {(refusal: Refused) => void} refused
 */
export async function attempt(request, then, refused) {
  view.wait(true);
  try {
    const response = await retryUntilResponse(request);
    view.wait(false);
    then(response);
  } catch (error) {
    view.wait(false);
    if (!(error instanceof Refused)) throw error;
    refused(error);
  }
}

/** @param {string} selector */
function press(selector) {
  const control = find(selector);
  if (!control || control.getClientRects().length === 0) return false;
  control.click();
  return true;
}

/**
 * Bind the keys, controls and dialogs of the page.
 *
 * @param {object} acts
 * @param {() => unknown} acts.begin ask for the current pair
 * @param {() => unknown} acts.submit
 * @param {() => unknown} [acts.undo]
 * @param {() => boolean} acts.isAnswering whether the person answers the questions of the pair now
 * @param {() => HTMLElement | null} acts.turn what has the turn while they do not, for the resting focus
 * @param {(name: "skip" | "report", body: object) => void} acts.endBy skip or report the pair
 */
export function bindOnlinePage({ begin, submit, undo = () => false, isAnswering, turn, endBy }) {
  /** @template {unknown[]} T @param {(...given: T) => unknown} run @returns {(...given: T) => unknown} */
  const onPair = (run) => (...given) =>
    current.assignment && !current.busy && !panelShown() && isAnswering() ? run(...given) : false;
  bindKeys({
    player: playerKeys(player),
    help: () => openDialog("help"),
    guideline: () => guideline.openHere(),
    togglePrompt,
    toggleDefinition,
    defineTag,
    submit,
    answer: onPair((value) => answering.answer(value)),
    tag: onPair((index) => answering.tag(index)),
    none: onPair(() => answering.none()),
    yes: onPair(() => answering.yes()),
    pass: onPair(() => answering.pass()),
    passTags: onPair(() => answering.passTags()),
    undo: onPair(() => answering.undo()),
    otherDimension: onPair(() => navigation.openOther()),
    previousPair: undo,
    skip: () => press('button[data-action="skip"]'),
    keepAnswers: () => false,
    talk: () => press('button[data-action="talk"]'),
    reportIllegal: () => press('button[data-action="report-illegal"]'),
    pressPrimary: () => press("[data-empty] [data-when]:not([hidden]) .primary") || press("[data-failed] button"),
    answerMessage: () => press("[data-standing] :is(a, button)"),
    hideOrShow: () => setHidden(!player.hidden),
    unsure: onPair(() => toggleUnsure()),
    comment: () => false,
  });
  one("form[data-answers]").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  bindRestingFocus(() => {
    if (settings.keys === "off") return null;
    if (panelShown()) return panel;
    return turn() ?? navigation.turn() ?? one("[data-heading]");
  });
  bindSplit();
  bindPrompt();
  bindDefinitions();
  bindRemarks();
  bindSettings(() => current.assignment && navigation.refresh());
  bindEnding(endBy);
  onAction("help", () => openDialog("help"));
  onAction("talk", () => { hideVideos(); openDialog("talk"); });
  onAction("ask-again", begin);
  onAction("reveal", () => setHidden(false));
  document.addEventListener("click", (event) => around(event, "[data-close]")?.closest("dialog")?.close());
}

/** Bind the dialogs with which the person skips or reports the pair. @param {(name: "skip" | "report", body: object) => void} endBy */
function bindEnding(endBy) {
  const skipForm = one("form[data-skip-form]");
  for (const name of ["skip", "report"]) onAction(name, () => { hideVideos(); openDialog("skip"); });
  skipForm.addEventListener("submit", () => endBy("skip", { reason: String(new FormData(skipForm).get("skip-reason") ?? "") }));
  const reportForm = one("form[data-report-form]");
  onAction("report-illegal", () => { hideVideos(); openDialog("report"); });
  reportForm.addEventListener("submit", () => {
    const which = new FormData(reportForm).get("report-which");
    endBy("report", { videos: SIDES.filter((side) => which === "both" || which === side).map((side) => form.videoOn(side)) });
  });
}

/** Watch the connection and the sign-in, and get the first pair. @param {() => unknown} begin */
export function beginOnline(begin) {
  watchTrouble();
  bindSignIn();
  keepServerTime();
  if (document.documentElement.dataset.browser || currentProblem() !== null) return;
  document.documentElement.dataset.begun = "";
  begin();
}
