/**
 * The workspace of a training or a test: the pair in the workspace's player and form. In a training, the person sees what was
 * expected after each answer, and goes on with a key. The server knows the turn, so a reload or another tab goes on where they were.
 */

import { one, onAction, say } from "../page/dom.js";
import { showPassing } from "../page/status.js";
import { addressOf, send } from "../annotation/api.js";
import { careReports } from "../annotation/care_reports.js";
import { current } from "../annotation/current_pair.js";
import { showEmpty } from "../annotation/empty.js";
import { guideline } from "../annotation/guideline.js";
import { leases } from "../annotation/leases.js";
import { navigation } from "../annotation/navigation.js";
import * as online from "../annotation/online_page.js";
import * as view from "../annotation/pair_view.js";
import { madeUuid } from "../annotation/uuid.js";
import { player } from "../annotation/videos.js";
import { feedbackPanel, hideFeedback, showFeedback, showsFeedback } from "./feedback.js";

const { dataset: page } = document.body;
const answers = one("form[data-answers]");
const place = one("[data-place]");
const submitButton = one('button[data-action="submit"]');
let submissionId = madeUuid();

/** Ask for the current pair. */
function begin() {
  if (!current.assignment) showEmpty("loading");
  attempt(() => send("POST", page.urlLease, { kind: page.kind }), show);
}

/** @param {() => Promise<any>} request @param {(response: any) => void} then */
const attempt = (request, then) => online.attempt(request, then, (refusal) => {
  if (refusal.isOver || refusal.code === "attempt_ended") {
    takeOff();
    showPassing(say("answered_elsewhere"), "warn");
    begin();
  } else if (current.assignment) showPassing(say("refused", { detail: refusal.message }), "bad");
  else stop("refused", { detail: refusal.message });
});

/** Show the pair that comes next, what was expected on the one before, or why there is none. @param {Qualification.Step} step */
function show({ current: turn, reason, retry_after_s: seconds, left }) {
  if (turn && turn.id === current.assignment?.id && turn.feedback) {
    open(turn);
    return;
  }
  takeOff();
  if (!turn) {
    if (reason === "ended") location.assign(page.urlResult ?? "");
    stop(reason ?? "refused", { seconds, again: begin });
    return;
  }
  submissionId = madeUuid();
  place.textContent = say("place", { n: turn.done + 1, all: turn.done + left });
  view.show({ ...turn, study: page.study ?? "" }, undefined, { number: null });
  careReports.begin();
  leases.hold(turn);
  open(turn);
}

/** Show what was expected, if the person has answered. @param {Qualification.Turn} turn */
function open({ feedback }) {
  answers.hidden = feedback !== null;
  submitButton.hidden = feedback !== null;
  if (feedback) showFeedback(feedback);
}

/** @param {string} reason @param {Parameters<typeof showEmpty>[1]} [details] */
function stop(reason, details) {
  takeOff();
  player.empty();
  leases.hold();
  showEmpty(reason, details);
}

function takeOff() {
  hideFeedback();
  answers.hidden = submitButton.hidden = false;
  if (!current.assignment) return;
  careReports.send();
  view.clear();
}

/** Submit the answer, or go on after its explanation. */
function submit() {
  const { assignment } = current;
  if (!assignment || current.busy) return;
  if (showsFeedback()) return void goOn();
  if (!navigation.ready) return void navigation.nudge();
  const { draft: _draft, ...body } = /** @type {any} */ (view.collect());
  attempt(
    () => send("POST", addressOf("submit", assignment.id), { ...body, submission_id: submissionId }),
    (/** @type {Qualification.Step} */ step) => {
      show(step);
      showPassing(say("answer_kept"), "good");
    },
  );
}

function goOn() {
  const { assignment } = current;
  if (!assignment || current.busy || !showsFeedback()) return;
  attempt(() => send("POST", addressOf(verb("goOn"), assignment.id), { care: view.collect().care }), show);
}

/** The addresses of this page are those of turns. @param {string} name */
const verb = (name) => /** @type {import("../annotation/api.js").Verb} */ (name);

/** @param {"skip" | "report"} name @param {object} body */
function endBy(name, body) {
  const { assignment } = current;
  if (!assignment || current.busy) return;
  attempt(() => send("POST", addressOf(name, assignment.id), { ...body, care: view.collect().care }), show);
}

online.bindOnlinePage({
  begin,
  submit,
  isAnswering: () => !showsFeedback(),
  turn: () => (showsFeedback() ? feedbackPanel : null),
  endBy,
});
onAction("go-on", goOn);
onAction("guideline-read", async () => { if (await guideline.confirm()) begin(); });
leases.addEventListener("given_up", begin);
leases.addEventListener("answered", begin);
addEventListener("pagehide", () => { careReports.send({ keepalive: true }); });
online.beginOnline(begin);
