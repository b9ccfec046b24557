/** Tell the person the outcome of an answer, a skip or a report. */

import { openDialog } from "../page/dialogs.js";
import { given, say } from "../page/dom.js";
import { removeLasting, showLasting, showPassing } from "../page/status.js";
import { setHidden } from "./hiding.js";
import { revising } from "./revising.js";

/** Messages by the reason why an answer is kept but not counted. @type {Record<string, string>} */
const SUBMITTED = {
  surplus: "submitted_late",
  surplus_study_closed: "submitted_study_closed",
  surplus_batch_closed: "submitted_batch_closed",
  surplus_suspended: "submitted_suspended",
};
const REFUSED = { submit: "answer_refused", skip: "skip_refused", report: "report_refused", revise: "change_refused" };

/** Say that the server has accepted an entry, with this response. @param {OutboxEntry} entry @param {any} response */
export function sayAccepted({ verb }, response) {
  dispatchEvent(new CustomEvent("diptych:accepted", { detail: response }));
  removeLasting("reported");
  if (verb === "report") sayReported(response);
  else if (verb === "skip") sayIfNothingElseIsOpen("skipped");
  else if (verb === "revise") showPassing(say("revised"), "good");
  else showPassing(say(SUBMITTED[response.annotation.surplus] ?? "submitted"), "good");
}

/** Say this, except while the person changes another answer: it would seem to be about that one. @param {string} word */
function sayIfNothingElseIsOpen(word) {
  if (!revising.open) showPassing(say(word));
}

/** Say that the server has refused an entry. @param {OutboxEntry} entry @param {Refused} refusal */
export function sayRefused({ verb }, refusal) {
  if (refusal.isOver && verb !== "revise") {
    showPassing(say("elsewhere"), "warn");
    return;
  }
  const words = say(REFUSED[verb], { detail: refusal.message });
  showLasting("refused", words, "bad", [{ label: say("understood"), run: () => removeLasting("refused") }]);
}

/**
 * Say what the outcome of a report is, and offer to talk to someone, until the next pair has ended.
 *
 * @param {Api.ReportOutcome} response
 */
export function sayReported({ report: outcome }) {
  const talk = () => {
    setHidden(true);
    openDialog("talk");
  };
  removeLasting("reported");
  showLasting("reported", say(`reported_${outcome}`), "", [{ label: say("talk"), run: talk }]);
}

/** Say how many answers wait until the person agrees to the study again. @param {number} n */
export function sayHeldBack(n) {
  const decide = { label: say("what_i_see"), href: given(document.body, "urlConsent") };
  if (n) showLasting("consent", say("consent_first", { n }), "warn", [decide]);
  else removeLasting("consent");
}

/** Warn while the browser stores nothing. @param {boolean} works */
export function sayStorage(works) {
  if (works) removeLasting("storage");
  else showLasting("storage", say("storage"), "warn");
}
