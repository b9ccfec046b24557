/**
 * The annotator's working session: the current pair, the next pair, and everything that ends a pair.
 *
 * A submitted pair goes into the outbox and the next pair is shown immediately. The server's response confirms the next pair or
 * replaces it. Therefore the page never waits, with or without a network. This module calls the page (`pair_view.js`) and the
 * server (`outbox.js`, `api.js`). Events of other modules are handled at the end.
 */

import { given, say } from "../page/dom.js";
import { announce, removeLasting, showPassing } from "../page/status.js";
import { form } from "./answer_form.js";
import { answeredCount, countAnswer, countWaiting } from "./answered.js";
import { Refused, addressOf, send } from "./api.js";
import { careReports } from "./care_reports.js";
import { clock } from "./clock.js";
import { current } from "./current_pair.js";
import { drafts } from "./drafts.js";
import { panelShown, showEmpty } from "./empty.js";
import { navigation } from "./navigation.js";
import { leases } from "./leases.js";
import { outbox } from "./outbox.js";
import { sayHeldBack, sayRefused, sayReported, sayStorage, sayAccepted } from "./outcome_messages.js";
import * as lifecycle from "./pair_lifecycle.js";
import * as view from "./pair_view.js";
import { reopening } from "./reopening.js";
import { assignmentToReopen, revising } from "./revising.js";
import { addWaiting } from "./submitted.js";
import { onBroadcast, tab, broadcast } from "./tabs.js";
import { countEarlier } from "./time_on_task.js";
import { trouble, currentProblem, tryNow, retryUntilResponse } from "./trouble.js";
import { madeUuid } from "./uuid.js";
import { clipsOf, fileOf, player } from "./videos.js";

const { dataset: page } = document.body;
const study = given(document.body, "study");
const person = given(document.body, "person");

/** Reasons that apply even if a pair is on the page: they protect people, or the researchers decided so. */
const STOPS = new Set(
  "break cap consent guideline qualification excluded paused suspended work_paused share".split(" "),
);

/** The next pair, which is loaded in advance. @type {Api.Assignment | null} */
let next = null;
/** Whether this tab works on the study. Another tab may have taken over. */
let works = false;
/**
 * The id of an ended pair that stays on the page, without input, until the server has said what comes next.
 *
 * @type {number | null}
 */
let waitingFor = null;
/** Whether to go back to the previous pair as soon as the page no longer waits. */
let wantsPrevious = false;

// --- Getting pairs ------------------------------------------------------------------------------------

/** Make this the tab that works on the study, and get the person's pairs. */
export async function begin() {
  showEmpty("loading");
  works = true;
  broadcast("desk", { study, person, tab });
  await outbox.claim(study, tab);
  sayStorage(outbox.works);
  const waiting = await outbox.waiting();
  for (const { assignment, body } of countWaiting(waiting)) countEarlier(assignment, body.timings_ms);
  addWaiting(waiting);
  outbox.prune();
  drafts.sync();
  careReports.sync();
  await sync();
}

let syncing = false;
let again = false;

/** Send what waits and update the page. Repeat it until the server responds. */
async function sync() {
  again = true;
  if (syncing) {
    if (currentProblem()) tryNow();
    return;
  }
  syncing = true;
  try {
    while (again && works) {
      again = false;
      await retryUntilResponse(syncOnce);
    }
  } finally {
    syncing = false;
  }
  if (wantsPrevious) previousPair();
}

async function syncOnce() {
  if (!works) return;
  const desk = await sendWaiting();
  sayHeldBack(outbox.heldBackOf(study));
  if (!works || revising.open) return;
  const toReopen = assignmentToReopen();
  try {
    if (!desk && toReopen && (await reopening.open(toReopen))) return;
    const offer = desk ?? (await send("POST", page.urlLease));
    if (!revising.open) showOffer(offer); // an answer may have been reopened in the meantime
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (revising.open) return;
    takeOff();
    showEmpty("refused", { detail: error.message });
  }
}

/** Send what waits and show the outcomes. Return the next pairs if the last response has them. Throws Trouble. */
async function sendWaiting() {
  let last = null;
  for await (const { entry, response, refusal, desk } of outbox.send(study)) {
    last = desk;
    if (response) sayAccepted(entry, response);
    if (refusal) sayRefused(entry, refusal);
    if (refusal && entry.verb === "submit" && refusal.code !== "already_answered") countAnswer(-1);
  }
  return last;
}

/** Check again, because the person asked for it or the countdown has ended. */
export function checkAgain() {
  tryNow();
  if (!current.assignment && !outbox.waits) showEmpty("loading");
  return sync();
}

/**
 * Show the pairs that the server offers, unless the current pair must stay.
 *
 * @param {Api.Desk & { second_look?: boolean }} desk
 */
function showOffer(desk) {
  if (desk.second_look && waitingFor !== null && waitingFor === current.assignment?.id) {
    secondLook(current.assignment, desk);
    return;
  }
  if (waitingFor !== null) takeOff();
  const offered = [desk.current, desk.next].filter((pair) => pair !== null).filter(({ id }) => !outbox.isWaiting(id));
  const { assignment } = current;
  if (!desk.current && STOPS.has(desk.reason ?? "")) {
    showNoPair(desk);
  } else if (assignment && (offered[0]?.id === assignment.id || current.began || form.touched)) {
    view.uncover(assignment);
    const fresh = offered.find(({ id }) => id === assignment.id) ?? assignment;
    setNext(offered.find(({ id }) => id !== assignment.id) ?? null, fresh);
  } else if (offered.length) {
    lifecycle.showLeased(offered[0]);
    setNext(offered[1] ?? null, offered[0]);
  } else {
    showNoPair(desk);
  }
}

/** Say why there is no pair now, and when the page checks again. @param {Api.Desk} desk */
function showNoPair({ reason, retry_after_s: seconds }) {
  takeOff();
  player.empty();
  setNext(null, null);
  if (outbox.sendable) { // answered in the meantime
    sync();
    return;
  }
  if (reason === "consent") removeLasting("consent"); // the panel says it
  const waiting = outbox.heldBackOf(study) || "";
  showEmpty(reason ?? "refused", { seconds, again: checkAgain, answered: answeredCount(), waiting });
}

/**
 * Set the next pair and load it in advance.
 *
 * @param {Api.Assignment | null} assignment
 * @param {Api.Assignment | null} before
 */
function setNext(assignment, before) {
  next = assignment;
  if (next && current.assignment) player.prepare(next.id, clipsOf(next));
  leases.hold(before, next);
}

/** Remove the current pair from the page. */
function takeOff() {
  waitingFor = null;
  lifecycle.takeOff();
}

// --- Ending the current pair --------------------------------------------------------------------------

export function submit() {
  if (current.busy || !current.assignment) return;
  if (!navigation.ready) navigation.nudge();
  else if (revising.isReopened) reopening.save(view.collect());
  else if (revising.open) finishChange(revising.finish(view.collect()));
  else endPair("submit", { ...view.collect(), submission_id: madeUuid() });
}

/** Leave stored answers unchanged, after looking at them again. */
export function keepAnswers() {
  if (current.busy || !revising.open) return;
  if (revising.isReopened) reopening.leave();
  else finishChange(revising.keep(view.collect()));
}

/** Skip the pair for good. @param {string} reason @param {string} note what did not work; may be empty */
export function skip(reason, note) {
  if (current.busy || !current.assignment || !reason || revising.open) return;
  const { care } = view.collect();
  endPair("skip", { reason, ...(note && { note }), ...(care && { care }) });
}

/**
 * Report videos as possibly illegal. They are not shown again, not even in the next pair.
 *
 * @param {Side[]} sides
 */
export function report(sides) {
  const { assignment, busy } = current;
  if (busy || !assignment) return;
  const { care } = view.collect();
  const videos = sides.map((side) => form.videoOn(side));
  if (revising.open) {
    const sent = () => send("POST", addressOf("report", assignment.id), { videos, care });
    finishChange(revising.leaveBy(sent).then((desk) => { sayReported(desk); return desk; }));
    return;
  }
  const reported = videos.map((video) => fileOf(assignment[video]));
  if (next && [next.video_0, next.video_1].some((video) => reported.includes(fileOf(video)))) next = null;
  endPair("report", care ? { videos, care } : { videos });
}

/**
 * Put the entry that ends the current pair into the outbox, and continue immediately.
 *
 * @param {"submit" | "skip" | "report"} verb
 * @param {Api.Submission | Api.Skip | Api.Report} body
 */
function endPair(verb, body) {
  if (!current.assignment) return;
  const assignment = current.assignment.id;
  lifecycle.countEnded(verb, current.assignment, body);
  drafts.attend(null);
  const [address, draftAddress] = [addressOf(verb, assignment), addressOf("draft", assignment)];
  outbox.enqueue({ study, assignment, verb, address, draftAddress, body });
  if (currentProblem()) announce(say("kept_here"));
  // A pair that may show harm is shown only after the server allows it: the daily limit or a break may be due.
  const mustAsk = next?.sensitive || (verb === "submit" && "secondLook" in page);
  if (mustAsk && !currentProblem()) {
    waitingFor = assignment;
    player.paired.pause();
    view.wait(true);
  } else {
    showNext();
  }
  sync();
}

/**
 * Show a pair, and load another one in advance. Without a pair, show what the page waits for.
 *
 * @param {Api.Assignment | null} [pair]
 * @param {Api.Assignment | null} [behind]
 */
function showNext(pair = next, behind = null) {
  takeOff();
  if (pair) {
    lifecycle.showLeased(pair);
    setNext(behind, pair);
    return;
  }
  player.empty();
  leases.hold();
  showWait();
}

/** Show why there is no pair while the server has not responded yet. */
function showWait() {
  const [why, waiting] = [currentProblem(), outbox.waits];
  if (why === "unreachable") showEmpty(waiting ? "offline" : "unreachable", { waiting });
  else showEmpty(why ?? "loading", { waiting });
}

/** Leave the current pair and get another one. @param {string | null} word key of the message to show then */
async function replaceCurrent(word) {
  if (current.busy || !works || reopening.loseAside()) return;
  takeOff();
  showEmpty("loading");
  await sync();
  if (word && current.assignment) showPassing(say(word), "warn");
}

// --- Stored answers on the page again -----------------------------------------------------------------

/**
 * Begin a second look. The answers are stored, and `desk` has the pairs that come after it.
 *
 * @param {Api.Assignment} assignment
 * @param {Api.Desk} desk
 */
function secondLook(assignment, desk) {
  waitingFor = null;
  view.wait(false);
  leases.hold(desk.current, desk.next);
  clock.reset();
  revising.beginSecondLook(assignment.id, form.answers(), desk);
  navigation.toFirst();
}

/** Go back to the pair that was submitted last, or from there to the one before it. The current pair is kept. */
export function previousPair() {
  wantsPrevious = waitingFor !== null;
  if (works && !wantsPrevious) reopening.openPrevious(() => ({ works: works && waitingFor === null, next }));
}

/** Go from a reopened answer to the pair that was on the page before, or to the pair that the server offers. */
function goBack() {
  const { aside } = reopening;
  reopening.aside = null;
  showNext(aside, next);
  sync();
}

/**
 * Wait until the server has accepted a change of stored answers, and continue with the next pairs.
 *
 * @param {Promise<Api.Desk>} finishing
 */
async function finishChange(finishing) {
  view.wait(true);
  player.paired.pause();
  try {
    const desk = await finishing;
    takeOff();
    reopening.aside = null;
    showOffer(desk);
  } catch (error) {
    view.wait(false);
    if (!(error instanceof Refused)) throw error;
    showPassing(say("refused", { detail: error.message }), "bad");
  }
}

// --- Events of other modules --------------------------------------------------------------------------

drafts.addEventListener("gone", () => replaceCurrent("elsewhere"));
reopening.addEventListener("over", goBack);
leases.addEventListener("answered", () => replaceCurrent("elsewhere"));
leases.addEventListener("given_up", () => replaceCurrent(null));
outbox.addEventListener("storage", () => sayStorage(outbox.works));
outbox.addEventListener("taken_over", () => stopWorking("taken_over"));
trouble.addEventListener("change", (event) => troubleChanged(event instanceof CustomEvent ? event.detail : ""));
onBroadcast("desk", ({ study: other, person: whose, tab: newer }) => {
  if (other === study && whose === person && newer !== tab) stopWorking("taken_over");
});
onBroadcast("wiped", ({ person: whose }) => {
  if (whose === person) stopWorking("signed_out");
});

/** React to a new problem between the page and the server, or to its end. @param {string} detail */
function troubleChanged(detail) {
  if (!works) return;
  const kind = currentProblem();
  if (kind && waitingFor !== null) showNext();
  if (kind === "somebody_else") {
    if (current.assignment) player.paired.pause();
    showEmpty(kind, { detail });
    sync(); // notices when the person is back
  } else if (current.assignment) {
    view.uncover(current.assignment);
  } else if (kind) {
    showWait();
  }
}

/** Continue after the person of this page has signed in. */
export function resume() {
  if (!works && panelShown() === "signed_out") begin();
  else tryNow();
}

/**
 * Stop, because another tab works on the study or the person has signed out. Saved work is kept, and this tab writes nothing more.
 *
 * @param {string} why
 */
function stopWorking(why) {
  if (!works) return;
  works = false;
  waitingFor = reopening.aside = null;
  if (revising.open) revising.close();
  lifecycle.drop();
  player.empty();
  leases.hold();
  next = null;
  showEmpty(why);
}
