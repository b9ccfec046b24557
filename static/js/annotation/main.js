/** Start the workspace: bind its keys and controls, and get the first pair. */

import { openDialog } from "../page/dialogs.js";
import { all, around, one, onAction, say } from "../page/dom.js";
import { bindRestingFocus } from "../page/focus.js";
import { playerKeys } from "../player/player_keys.js";
import { answering } from "./answering.js";
import { bindBatchPlace } from "./batch_place.js";
import { current } from "./current_pair.js";
import { bindDefinitions, defineTag, toggleDefinition } from "./definitions.js";
import { panel, panelShown } from "./empty.js";
import { navigation } from "./navigation.js";
import { guideline } from "./guideline.js";
import { hideVideos, setHidden } from "./hiding.js";
import { bindKeys } from "./keys.js";
import { outbox } from "./outbox.js";
import { bindPrompt, togglePrompt } from "./prompt.js";
import * as remarks from "./remarks.js";
import { bindReporting } from "./reporting.js";
import { keepServerTime } from "./server_time.js";
import { begin, keepAnswers, checkAgain, previousPair, resume, submit } from "./session.js";
import { bindSettings, settings } from "./settings.js";
import { bindSignIn } from "./sign_in.js";
import { bindSkipping } from "./skipping.js";
import { bindSplit } from "./split.js";
import { onBroadcast } from "./tabs.js";
import { bindTimeOnTask } from "./time_on_task.js";
import { setProblem, watchTrouble } from "./trouble.js";
import { player } from "./videos.js";

/**
 * Press the visible control that matches. Return false if there is none.
 *
 * @param {string} selector
 */
function press(selector) {
  const control = all(selector).find((each) => each.getClientRects().length > 0);
  if (control instanceof HTMLElement) control.click();
  return control !== undefined;
}

/** @param {string} action */
const pressAction = (action) => press(`button[data-action="${action}"]`);

/**
 * Return `run`, made to do nothing while there is no pair or the page waits for the server.
 *
 * @template {unknown[]} T
 * @param {(...given: T) => unknown} run
 * @returns {(...given: T) => unknown}
 */
const onPair = (run) => (...given) => (current.assignment && !current.busy && !panelShown() ? run(...given) : false);

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
  previousPair,
  skip: () => pressAction("skip"),
  keepAnswers: () => pressAction("keep-answers"),
  talk: () => pressAction("talk"),
  reportIllegal: onPair(() => pressAction("report-illegal")),
  pressPrimary: () => press("[data-empty] .primary") || press("[data-failed] button"),
  answerMessage: () => press("[data-standing] :is(a, button)"),
  hideOrShow: () => setHidden(!player.hidden),
  unsure: () => remarks.toggleUnsure(),
  comment: () => remarks.openComment(),
});
one("form[data-answers]").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
bindRestingFocus(() => {
  if (settings.keys === "off") return null;
  return (panelShown() ? panel : navigation.turn()) ?? one("[data-heading]");
});
bindSplit();
bindPrompt();
bindDefinitions();
bindSettings(() => current.assignment && navigation.refresh());
bindSkipping();
bindReporting();
remarks.bindRemarks();
onAction("help", () => openDialog("help"));
onAction("talk", () => { hideVideos(); openDialog("talk"); });
onAction("keep-answers", keepAnswers);
onAction("previous-pair", previousPair);
onAction("guideline-read", async () => { if (await guideline.confirm()) checkAgain(); });
onAction("ask-again", checkAgain);
onAction("work-here", begin);
onAction("reveal", () => setHidden(false));
document.addEventListener("click", (event) => around(event, "[data-close]")?.closest("dialog")?.close());

watchTrouble();
bindSignIn();
onBroadcast("person", ({ person, name }) => {
  if (person === outbox.person) resume();
  else if (person) setProblem("somebody_else", say("signed_in_as", { name }));
});
keepServerTime();
bindTimeOnTask();
bindBatchPlace();

const { dataset: browser } = document.documentElement;
if (!browser.browser) { // page/browser_check.js found nothing missing
  await outbox.open();
  browser.begun = "";
  begin();
}
