/** What became of an answer, a skip or a report, in words. */

import { openDialog } from "../page/dialogs.js";
import { given, say } from "../page/dom.js";
import { clear, passingWord, standingWord } from "../page/status.js";
import { setHidden } from "./hiding.js";

/** By the reason for which an answer is kept and not counted. @type {Record<string, string>} */
const SUBMITTED = {
  surplus: "submitted_late",
  surplus_study_closed: "submitted_study_closed",
  surplus_batch_closed: "submitted_batch_closed",
};
const REFUSED = { submit: "answer_refused", skip: "skip_refused", report: "report_refused" };

/** The server has taken an entry, with this response. @param {OutboxEntry} entry @param {any} response */
export function sayTaken({ verb }, response) {
  dispatchEvent(new CustomEvent("diptych:taken", { detail: response }));
  clear("reported");
  if (verb === "report") sayReported(response);
  else if (verb === "skip") passingWord(say("skipped"));
  else passingWord(say(SUBMITTED[response.annotation.surplus] ?? "submitted"), "good");
}

/** The server has refused an entry. @param {OutboxEntry} entry @param {Refused} refusal */
export function sayRefused({ verb }, refusal) {
  if (refusal.isOver) {
    passingWord(say("elsewhere"), "warn");
    return;
  }
  const words = say(REFUSED[verb], { detail: refusal.message });
  standingWord("refused", words, "bad", [{ label: say("understood"), run: () => clear("refused") }]);
}

/**
 * Says what became of a report, and offers to talk to someone, until the next pair is done.
 *
 * @param {Api.ReportOutcome} response
 */
export function sayReported({ report: outcome }) {
  const talk = () => {
    setHidden(true);
    openDialog("talk");
  };
  clear("reported");
  standingWord("reported", say(`reported_${outcome}`), "", [{ label: say("talk"), run: talk }]);
}

/** Says how many answers wait until their person agrees again; they are sent then. @param {number} n */
export function sayHeldBack(n) {
  const decide = { label: say("what_i_see"), href: given(document.body, "urlConsent") };
  if (n) standingWord("consent", say("consent_first", { n }), "warn", [decide]);
  else clear("consent");
}
