/**
 * The annotator's working session: the current pair, the one that waits behind it, and what ends a pair.
 *
 * A submitted pair goes into the outbox, the next one is shown in the same moment, and the server's response confirms that,
 * or says what comes instead. So the page never waits, with a network or without. Calls go from here to the page (`pair_view.js`)
 * and to the server (`outbox.js`, `api.js`); what happens by itself comes back as an event, and the events are at the end.
 */

import { given, say } from "../page/dom.js";
import { announce, clear as clearWord, passingWord } from "../page/status.js";
import { form } from "./answer_form.js";
import { answeredCount, countAnswer, countWaiting } from "./answered.js";
import { Refused, addressOf, send } from "./api.js";
import { careReports } from "./care_reports.js";
import { clock } from "./clock.js";
import { current } from "./current_pair.js";
import { drafts } from "./drafts.js";
import { panelShown, showEmpty } from "./empty.js";
import { guide } from "./guide.js";
import { leases } from "./leases.js";
import { outbox } from "./outbox.js";
import { sayHeldBack, sayRefused, sayReported, sayStorage, sayTaken } from "./outcome_words.js";
import * as lifecycle from "./pair_lifecycle.js";
import * as view from "./pair_view.js";
import { reopening } from "./reopening.js";
import { asked, revising } from "./revising.js";
import { noteWaiting } from "./submitted.js";
import { onTold, tab, tell } from "./tabs.js";
import { countEarlier } from "./time_on_task.js";
import { trouble, troubleMet, tryNow, untilAnswered } from "./trouble.js";
import { madeUuid } from "./uuid.js";
import { clipsOf, fileOf, player } from "./videos.js";

const { dataset: page } = document.body;
const study = given(document.body, "study");
const person = given(document.body, "person");

/** Reasons that hold whatever is on the page: they protect people, or the study's owner has said so. */
const STOPS = new Set(["break", "cap", "consent", "guideline", "qualification", "excluded", "paused"]);

/** The pair that waits behind the current one. @type {Api.Assignment | null} */
let next = null;
/** Whether this tab works on the study; another may have taken it over. */
let works = false;
/**
 * The id of the pair that stays on the page, held still, until the server has said what comes after it.
 *
 * @type {number | null}
 */
let held = null;
/** Whether the previous pair is to come back as soon as none is held. */
let goesBack = false;

// --- Getting pairs ------------------------------------------------------------------------------------

/** Makes this the tab that works on the study, and gets the person's pairs. */
export async function begin() {
  showEmpty("loading");
  works = true;
  tell("desk", { study, person, tab });
  await outbox.claim(study, tab);
  sayStorage(outbox.works);
  const waiting = await outbox.waiting();
  for (const { assignment, body } of countWaiting(waiting)) countEarlier(assignment, body.timings_ms);
  noteWaiting(waiting);
  outbox.prune();
  drafts.sync();
  careReports.sync();
  await supply();
}

let supplying = false;
let again = false;

/** Sends what waits and brings the page up to date; tried again until nothing stands between us and the server. */
async function supply() {
  again = true;
  if (supplying) {
    if (troubleMet()) tryNow();
    return;
  }
  supplying = true;
  try {
    while (again && works) {
      again = false;
      await untilAnswered(supplyOnce);
    }
  } finally {
    supplying = false;
  }
  if (goesBack) previousPair();
}

async function supplyOnce() {
  if (!works) return;
  const desk = await sendWaiting();
  sayHeldBack(outbox.heldBackOf(study));
  if (!works || revising.open) return;
  const toReopen = asked();
  try {
    if (!desk && toReopen && (await reopening.open(toReopen))) return;
    const offer = desk ?? (await send("POST", page.urlLease));
    if (!revising.open) take(offer); // an answer may have been reopened meanwhile
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (revising.open) return;
    takeOff();
    showEmpty("refused", { detail: error.message });
  }
}

/** Sends what waits and says what became of it. Return what comes next if the last response says it. Raises Trouble. */
async function sendWaiting() {
  let last = null;
  for await (const { entry, response, refusal, desk } of outbox.send(study)) {
    last = desk;
    if (response) sayTaken(entry, response);
    if (refusal) sayRefused(entry, refusal);
    if (refusal && entry.verb === "submit" && refusal.code !== "already_answered") countAnswer(-1);
  }
  return last;
}

/** Looks anew, because somebody asked for it or the time has come. */
export function lookAgain() {
  tryNow();
  if (!current.assignment && !outbox.waits) showEmpty("loading");
  return supply();
}

/**
 * Puts what the server offers on the page, as far as the current pair allows.
 *
 * @param {Api.Desk & { second_look?: boolean }} desk
 */
function take(desk) {
  if (desk.second_look && held !== null && held === current.assignment?.id) {
    secondLook(current.assignment, desk);
    return;
  }
  if (held !== null) takeOff();
  const offered = [desk.current, desk.next].filter((pair) => pair !== null).filter(({ id }) => !outbox.isWaiting(id));
  const { assignment } = current;
  if (!desk.current && STOPS.has(desk.reason ?? "")) {
    stop(desk);
  } else if (assignment && (offered[0]?.id === assignment.id || current.began || form.touched)) {
    view.uncover(assignment);
    const fresh = offered.find(({ id }) => id === assignment.id) ?? assignment;
    follow(offered.find(({ id }) => id !== assignment.id) ?? null, fresh);
  } else if (offered.length) {
    lifecycle.showLeased(offered[0]);
    follow(offered[1] ?? null, offered[0]);
  } else {
    stop(desk);
  }
}

/** No pair for now: says why, and when we look again. @param {Api.Desk} desk */
function stop({ reason, retry_after_s: seconds }) {
  takeOff();
  player.empty();
  follow(null, null);
  if (outbox.sendable) { // answered meanwhile
    supply();
    return;
  }
  if (reason === "consent") clearWord("consent"); // the panel says it
  const waiting = outbox.heldBackOf(study) || "";
  showEmpty(reason ?? "refused", { seconds, again: lookAgain, answered: answeredCount(), waiting });
}

/**
 * The pair after the current one: loaded behind it.
 *
 * @param {Api.Assignment | null} assignment
 * @param {Api.Assignment | null} before
 */
function follow(assignment, before) {
  next = assignment;
  if (next && current.assignment) player.prepare(next.id, clipsOf(next));
  leases.hold(before, next);
}

/** Takes the current pair off the page. */
function takeOff() {
  held = null;
  lifecycle.takeOff();
}

// --- Ending the current pair --------------------------------------------------------------------------

export function submit() {
  if (current.busy || !current.assignment) return;
  if (!guide.ready) guide.nudge();
  else if (revising.isReopened) reopening.save(view.collect());
  else if (revising.open) change(revising.finish(view.collect()));
  else end("submit", { ...view.collect(), submission_id: madeUuid() });
}

/** Leaves stored answers as they are, after looking at them again. */
export function keepAnswers() {
  if (current.busy || !revising.open) return;
  if (revising.isReopened) reopening.leave();
  else change(revising.keep(view.collect()));
}

/** Skips for good. @param {string} reason @param {string} note what did not work; empty: nothing is said */
export function skip(reason, note) {
  if (current.busy || !current.assignment || !reason || revising.open) return;
  const { care } = view.collect();
  end("skip", { reason, ...(note && { note }), ...(care && { care }) });
}

/**
 * Reports videos as possibly illegal. They are not shown again, not even in the pair that waits behind.
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
    change(revising.leaveBy(sent).then((desk) => { sayReported(desk); return desk; }));
    return;
  }
  const reported = videos.map((video) => fileOf(assignment[video]));
  if (next && [next.video_0, next.video_1].some((video) => reported.includes(fileOf(video)))) next = null;
  end("report", care ? { videos, care } : { videos });
}

/**
 * Puts what ends the current pair into the outbox, and goes on at once.
 *
 * @param {"submit" | "skip" | "report"} verb
 * @param {Api.Submission | Api.Skip | Api.Report} body
 */
function end(verb, body) {
  if (!current.assignment) return;
  const assignment = current.assignment.id;
  lifecycle.countEnded(verb, current.assignment, body);
  drafts.attend(null);
  const [address, draftAddress] = [addressOf(verb, assignment), addressOf("draft", assignment)];
  outbox.enqueue({ study, assignment, verb, address, draftAddress, body });
  if (troubleMet()) announce(say("kept_here"));
  // What may show harm comes only when the server says so: a cap or a break may be due.
  const mustAsk = next?.sensitive || (verb === "submit" && "secondLook" in page);
  if (mustAsk && !troubleMet()) {
    held = assignment;
    player.duo.pause();
    view.wait(true);
  } else {
    goOn();
  }
  supply();
}

/**
 * Shows a pair, and keeps another one behind it; without one, shows what we wait for.
 *
 * @param {Api.Assignment | null} [pair]
 * @param {Api.Assignment | null} [behind]
 */
function goOn(pair = next, behind = null) {
  takeOff();
  if (pair) {
    lifecycle.showLeased(pair);
    follow(behind, pair);
    return;
  }
  player.empty();
  leases.hold();
  showWait();
}

/** Why there is no pair while the server has not responded yet. */
function showWait() {
  const [why, waiting] = [troubleMet(), outbox.waits];
  if (why === "unreachable") showEmpty(waiting ? "offline" : "unreachable", { waiting });
  else showEmpty(why ?? "loading", { waiting });
}

/** Gives the current pair up and looks what comes instead. @param {string | null} word what to say then */
async function leaveFor(word) {
  if (current.busy || !works || reopening.loseAside()) return;
  takeOff();
  showEmpty("loading");
  await supply();
  if (word && current.assignment) passingWord(say(word), "warn");
}

// --- Stored answers on the page again -----------------------------------------------------------------

/**
 * The answers are stored, and the study asks to look at them once more before the pair that `desk` holds.
 *
 * @param {Api.Assignment} assignment
 * @param {Api.Desk} desk
 */
function secondLook(assignment, desk) {
  held = null;
  view.wait(false);
  leases.hold(desk.current, desk.next);
  clock.reset();
  revising.lookAgain(assignment.id, form.answers(), desk);
  guide.toFirst();
}

/** Goes back to the pair that was submitted last, or from there to the one before it. The pair on the page is kept. */
export function previousPair() {
  goesBack = held !== null;
  if (works && !goesBack) reopening.openPrevious(() => ({ works: works && held === null, next }));
}

/** From a reopened answer to the pair that was on the page before, or to what the server offers. */
function goBack() {
  const { aside } = reopening;
  reopening.aside = null;
  goOn(aside, next);
  supply();
}

/**
 * Waits for a change of stored answers to be taken, and goes on to what follows it.
 *
 * @param {Promise<Api.Desk>} finishing
 */
async function change(finishing) {
  view.wait(true);
  player.duo.pause();
  try {
    const desk = await finishing;
    takeOff();
    reopening.aside = null;
    take(desk);
  } catch (error) {
    view.wait(false);
    if (!(error instanceof Refused)) throw error;
    passingWord(say("refused", { detail: error.message }), "bad");
  }
}

// --- What happens by itself ---------------------------------------------------------------------------

drafts.addEventListener("gone", () => leaveFor("elsewhere"));
reopening.addEventListener("over", goBack);
leases.addEventListener("answered", () => leaveFor("elsewhere"));
leases.addEventListener("given_up", () => leaveFor(null));
outbox.addEventListener("storage", () => sayStorage(outbox.works));
outbox.addEventListener("taken_over", () => stopWorking("taken_over"));
trouble.addEventListener("change", (event) => troubleChanged(event instanceof CustomEvent ? event.detail : ""));
onTold("desk", ({ study: other, person: whose, tab: newer }) => {
  if (other === study && whose === person && newer !== tab) stopWorking("taken_over");
});
onTold("wiped", ({ person: whose }) => {
  if (whose === person) stopWorking("signed_out");
});

/** Something stands between us and the server, or no longer does. @param {string} detail */
function troubleChanged(detail) {
  if (!works) return;
  const kind = troubleMet();
  if (kind && held !== null) goOn();
  if (kind === "somebody_else") {
    if (current.assignment) player.duo.pause();
    showEmpty(kind, { detail });
    supply(); // finds out when the person is back
  } else if (current.assignment) {
    view.uncover(current.assignment);
  } else if (kind) {
    showWait();
  }
}

/** The person is signed in, as this page needs it. */
export function resume() {
  if (!works && panelShown() === "signed_out") begin();
  else tryNow();
}

/**
 * Another tab works on the study now, or its person has signed out. What this tab wrote before is there; it writes no more.
 *
 * @param {string} why
 */
function stopWorking(why) {
  if (!works) return;
  works = false;
  held = reopening.aside = null;
  if (revising.open) revising.close();
  lifecycle.drop();
  player.empty();
  leases.hold();
  next = null;
  showEmpty(why);
}
