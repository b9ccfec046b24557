/**
 * The review page: the pair in the workspace's player, the reviewer's own answer first where the review is blind, then the rows to
 * judge. A review needs a connection: nothing is kept in the browser, and a blind answer is stored before anything is revealed.
 */

import { find, one, onAction, say } from "../page/dom.js";
import { showPassing } from "../page/status.js";
import { Refused, Trouble, addressOf, send } from "../annotation/api.js";
import { careReports } from "../annotation/care_reports.js";
import { current } from "../annotation/current_pair.js";
import { showEmpty } from "../annotation/empty.js";
import { leases } from "../annotation/leases.js";
import { navigation } from "../annotation/navigation.js";
import * as online from "../annotation/online_page.js";
import * as view from "../annotation/pair_view.js";
import { madeUuid } from "../annotation/uuid.js";
import { clipsOf, player } from "../annotation/videos.js";
import { collected, hideJudging, isJudging, missing, showJudging } from "./judging.js";

const { dataset: page } = document.body;
const answers = one("form[data-answers]");
const submitButton = one('button[data-action="submit"]');
const whyNot = one("[data-why-not]");
const undoButton = one('button[data-action="undo-review"]');
const whyHere = one("[data-why-here]");
let submissionId = madeUuid();
/** The sitting that was submitted last, which can be undone. @type {number | null} */
let last = null;
/** The reserved sitting whose videos are loaded while the current one is judged. @type {number | null} */
let ahead = null;

/** Ask for the next review. */
async function begin() {
  showEmpty("loading");
  await attempt(() => send("POST", page.urlLease, { kind: page.kind }), show);
}

/**
 * Send a request until the server responds, and pass the response on. A refusal is shown, and the page stays as it is.
 *
 * @param {() => Promise<any>} request @param {(response: any) => void} then
 */
const attempt = (request, then) => online.attempt(request, then, (refusal) => {
  const about = { detail: refusal.message };
  if (current.assignment && refusal.code !== "lease_lost") showPassing(say("refused", about), "bad");
  else stop("refused", about);
});

/** @param {Qc.Reviews} reviews */
function show({ current: review, reason, retry_after_s: seconds }) {
  takeOff();
  ahead = null;
  if (!review) {
    stop(reason ?? "refused", { seconds, again: begin });
    return;
  }
  submissionId = madeUuid();
  view.show({ ...review, study: page.study ?? "" }, undefined, { number: null });
  careReports.begin();
  leases.hold(review);
  judge(review);
  loadAhead(review.id);
}

/**
 * Reserve the pair after the current one, and load its videos. The server still decides what is shown next. If it cannot reserve
 * one, the person only waits longer.
 *
 * @param {number} id the current sitting
 */
async function loadAhead(id) {
  try {
    /** @type {Qc.Reviews} */
    const { current: review, next } = await send("POST", page.urlLease, { kind: page.kind, ahead: true });
    if (review?.id !== id || current.assignment?.id !== id || !next) return;
    ahead = next.id;
    leases.hold(review, next);
    player.prepare(next.id, clipsOf(next));
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Trouble)) throw error;
  }
}

/** Give the reserved pair back, because the person leaves the page. It would come back by itself only after the lease. */
function releaseAhead() {
  if (ahead === null) return;
  send("POST", addressOf(verb("release"), ahead), undefined, { keepalive: true }).catch(() => {});
  ahead = null;
}

/** Say why the look-here queue chose what was judged last. @param {string[]} reasons */
function sayWhy(reasons) {
  whyHere.hidden = reasons.length === 0;
  one("[data-why-here-text]", whyHere).textContent = reasons.join(" · ");
}

/** Show the rows to judge, or the form while the reviewer still has to answer. @param {Qc.Review} review */
function judge(review) {
  const blind = review.judging === null;
  answers.hidden = !blind;
  document.body.toggleAttribute("data-judges", !blind);
  if (blind) {
    hideJudging();
    return;
  }
  showJudging(review);
  submitButton.setAttribute("aria-disabled", "false");
  whyNot.textContent = say("ready_to_judge");
}

/** @param {string} reason @param {Parameters<typeof showEmpty>[1]} [details] */
function stop(reason, details) {
  takeOff();
  player.empty();
  leases.hold();
  showEmpty(reason, details);
}

function takeOff() {
  hideJudging();
  document.body.removeAttribute("data-judges");
  if (!current.assignment) return;
  careReports.send();
  view.clear();
}

/** Submit the blind answer, or the verdicts. */
function submit() {
  const { assignment } = current;
  if (!assignment || current.busy) return;
  if (!isJudging()) {
    if (!navigation.ready) return void navigation.nudge();
    const { draft: _draft, ...body } = /** @type {any} */ (view.collect());
    return void attempt(
      () => send("POST", addressOf(verb("answer"), assignment.id), { ...body, submission_id: submissionId }),
      (/** @type {Qc.Review | Qc.Reviews} */ stored) => {
        if ("current" in stored) afterCalibration(stored);
        else if (stored.ended) afterSecond();
        else afterAnswer(stored);
      },
    );
  }
  const row = missing();
  if (row) return void showPassing(say("verdict_missing", { row }), "warn");
  const body = { ...collected(), care: view.collect().care };
  return void attempt(() => send("POST", addressOf("submit", assignment.id), body), (reviews) => {
    last = assignment.id;
    undoButton.hidden = false;
    show(reviews);
    sayWhy(reviews.looked_because);
    showPassing(say("review_saved"), "good");
  });
}

/** The reviewer's own answer is stored: show the rows to judge. @param {Qc.Review} review */
function afterAnswer(review) {
  judge(review);
  showPassing(say("answer_kept"), "good");
}

/** An answer of a calibration is stored. Nothing is revealed: the next pair follows. @param {Qc.Reviews} reviews */
function afterCalibration(reviews) {
  show(reviews);
  showPassing(say("answer_kept"), "good");
}

/** A second blind answer is stored. Nothing is revealed: go on with the next pair. */
function afterSecond() {
  attempt(() => send("POST", page.urlLease, { kind: page.kind }), (reviews) => {
    show(reviews);
    showPassing(say("review_saved"), "good");
  });
}

/** The addresses of this page are those of reviews. @param {string} name */
const verb = (name) => /** @type {import("../annotation/api.js").Verb} */ (name);

/** @param {string} name @param {object} body */
function endBy(name, body) {
  const { assignment } = current;
  if (!assignment || current.busy) return;
  attempt(() => send("POST", addressOf(verb(name), assignment.id), { ...body, care: view.collect().care }), show);
}

function undo() {
  if (last === null) return;
  const id = last;
  attempt(() => send("POST", addressOf(verb("undo"), id)), (reviews) => {
    last = null;
    undoButton.hidden = true;
    show(reviews);
  });
}

online.bindOnlinePage({
  begin,
  submit,
  undo,
  isAnswering: () => !isJudging(),
  turn: () => find("fieldset[data-judge][data-current]"),
  endBy,
});
onAction("undo-review", undo);
leases.addEventListener("given_up", begin);
leases.addEventListener("answered", begin);
addEventListener("pagehide", () => { careReports.send({ keepalive: true }); releaseAhead(); });
online.beginOnline(begin);
