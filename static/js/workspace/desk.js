/**
 * What lies before the person: the pair in hand, the one that waits behind it, and what is on its way to the server.
 * A submitted pair goes into the line of what waits to be sent, the next one is shown in the same moment, and the
 * server's answer confirms that, or says what comes instead. So the page never waits, with a network or without.
 */

import { Refused, Trouble, addressOf, send } from "./api.js";
import { clear, clipsOf, clock, collect, guide, hold, lay, onAddressExpired, onAnswer, player, sheet, uncover } from "./bench.js";
import { CareReports } from "./care_reports.js";
import { openSheet } from "./dialogs.js";
import { say } from "../page/dom.js";
import { Drafts, further } from "./drafts.js";
import { panelShown, showEmpty } from "./empty.js";
import { Keeping, madeUuid } from "./keeping.js";
import { Leases } from "./lease.js";
import { hand, taken } from "./pair.js";
import { Revising, asked } from "./revising.js";
import { isOver, sendWaiting, untilAnswered } from "./sending.js";
import { byTouch } from "./settings.js";
import { announce, clear as clearWord, passingWord, standingWord } from "../page/status.js";
import { onTold, tab, tell } from "./tabs.js";
import { countEarlier } from "./time_on_task.js";
import { troubleMet, tryNow } from "./trouble.js";

const page = document.body.dataset;
const { study, person } = page;

/** Reasons that hold whatever is on the page: they protect people, or the study's owner has said so. */
const STOPS = new Set(["break", "cap", "consent", "guideline", "qualification", "excluded", "paused"]);

export const keeping = new Keeping(person, { onChange: keptChanged, onTaken: takenOver });
const drafts = new Drafts(keeping, study, { collect, onGone: () => leaveFor("elsewhere") });
const careReports = new CareReports(keeping, study);
export const leases = new Leases({
  idleMs: () => clock.idleMs,
  onTakeNext: () => leaveFor(null),
  onAnswered: () => leaveFor("elsewhere"),
});
export const revising = new Revising(() => { if (!hand.busy) change(revising.keep(collect())); });

let next = null;
let answered = Number(page.answered);
/** Assignments whose answers are in that number: the latest that the server had, and what waits to be sent. */
const counted = new Set(page.latestAnswered.split(" ").map(Number));
/** Whether this tab works on the study; another may have taken it over. */
let works = false;
/** The pair that stays on the page, held still, until the server has said what comes after it. */
let held = null;

export const countAnswered = () => answered;

// --- Getting pairs ------------------------------------------------------------------------------------

/** Makes this the tab that works on the study, and gets what lies before its person. */
export async function begin() {
  showEmpty("loading");
  works = true;
  tell("desk", { study, person, tab });
  await keeping.claim(study, tab);
  countWaiting(await keeping.waiting());
  keeping.prune();
  drafts.sync();
  careReports.sync();
  await supply();
}

/** What an earlier visit answered and nobody has sent yet belongs to what was done. */
function countWaiting(entries) {
  for (const { assignment, verb, body, ...entry } of entries) {
    if (verb !== "submit" || entry.study !== study || counted.has(assignment)) continue;
    counted.add(assignment);
    answered += 1;
    countEarlier(assignment, body.timings_ms);
  }
}

let supplying = false;
let again = false;

/** Sends what waits and brings the desk up to date; tried again until nothing stands between us and the server. */
export async function supply() {
  again = true;
  if (supplying) {
    if (troubleMet()) tryNow();
    return;
  }
  supplying = true;
  try {
    while (again && works) {
      again = false;
      await untilAnswered(round);
    }
  } finally {
    supplying = false;
  }
}

async function round() {
  if (!works) return;
  const desk = await sendWaiting(keeping, { study, onTaken: wasTaken, onRefused: wasRefused });
  sayHeldBack();
  if (!works || revising.open) return;
  try {
    if (!desk && asked() && (await reopen(asked()))) return;
    take(desk ?? (await send("POST", page.urlLease)));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    putAway();
    showEmpty("refused", { detail: error.message });
  }
}

/** Looks anew, because somebody asked for it or the time has come. */
export function lookAgain() {
  tryNow();
  if (!hand.assignment && !keeping.waits) showEmpty("loading");
  return supply();
}

/** Puts a desk, as every leasing endpoint answers it, on the page, as far as what is in hand allows. */
function take(desk) {
  if (desk.second_look && held !== null && held === hand.assignment?.id) return secondLook(desk);
  if (held !== null) putAway();
  const offered = [desk.current, desk.next].filter((assignment) => assignment && !keeping.isWaiting(assignment.id));
  if (!desk.current && STOPS.has(desk.reason)) return stop(desk);
  const inHand = hand.assignment;
  if (inHand && (offered[0]?.id === inHand.id || isTouched())) {
    uncover();
    const fresh = offered.find((assignment) => assignment.id === inHand.id);
    return follow(offered.find((assignment) => assignment.id !== inHand.id) ?? null, fresh ?? inHand);
  }
  if (!offered.length) return stop(desk);
  show(offered[0]);
  return follow(offered[1] ?? null, offered[0]);
}

const isTouched = () => hand.began || sheet.touched;

/** No pair for now: says why, and when we look again. */
function stop({ reason, retry_after_s: seconds }) {
  putAway();
  player.empty();
  follow(null, null);
  if (keeping.sendable) return supply(); // answered meanwhile
  if (reason === "consent") clearWord("consent"); // the panel says it
  return showEmpty(reason ?? "refused", { seconds, again: lookAgain, answered, waiting: keeping.heldBackOf(study) || "" });
}

/** The pair after the one in hand: loaded behind it. */
function follow(assignment, current) {
  next = assignment;
  if (next && hand.assignment) player.prepare(next.id, clipsOf(next));
  leases.hold([current, next]);
}

function show(assignment) {
  const record = keeping.draftOf(assignment.id);
  const draft = further(record.body, assignment.draft);
  drafts.attend(null);
  lay(assignment, draft, { hidden: record.hidden, number: answered + 1, earlierCare: record.care ?? record.body?.care });
  drafts.attend(assignment.id);
}

/** Takes the pair in hand off the page. Its draft stays. */
function putAway() {
  if (hand.busy) hold(false);
  held = null;
  drafts.attend(null);
  clear();
}

// --- Ending the pair in hand --------------------------------------------------------------------------

export function submit() {
  if (hand.busy || !hand.assignment) return;
  if (!guide.ready) {
    guide.nudge();
    return;
  }
  if (revising.open) {
    change(revising.finish(collect()));
    return;
  }
  end("submit", { ...collect(), submission_id: madeUuid() });
}

/** Skips for good, with a reason. */
export function skip(reason) {
  if (hand.busy || !hand.assignment || !reason || revising.open) return;
  const { care } = collect();
  end("skip", care ? { reason, care } : { reason });
}

/** Reports videos as possibly illegal. They are not shown again, not even in the pair that waits behind. */
export function report(sides) {
  if (hand.busy || !hand.assignment) return;
  const { assignment } = hand;
  const { care } = collect();
  const videos = sides.map((side) => sheet.videoOn(side));
  if (revising.open) {
    const reporting = revising.leaveBy(() => send("POST", addressOf("report", assignment.id), { videos, care }));
    change(reporting.then((desk) => { sayReported(desk); return desk; }));
    return;
  }
  const reported = videos.map((video) => fileOf(assignment[video]));
  if (next && [next.video_0, next.video_1].some((clip) => reported.includes(fileOf(clip)))) next = null;
  end("report", care ? { videos, care } : { videos });
}

/** What a clip's address names, whatever else the address says. */
const fileOf = (clip) => clip.playback_url.split("?")[0];

/** Puts what ends the pair in hand in line, and goes on at once. */
function end(verb, body) {
  const assignment = hand.assignment.id;
  if (verb === "submit") answered += 1;
  drafts.attend(null);
  const [address, draftAddress] = [addressOf(verb, assignment), addressOf("draft", assignment)];
  keeping.enqueue({ study, assignment, verb, address, draftAddress, body });
  if (troubleMet()) announce(say("kept_here"));
  // What may show harm comes only when the server says so: a cap or a break may be due.
  const mustAsk = next?.sensitive || (verb === "submit" && "secondLook" in page);
  if (mustAsk && !troubleMet()) {
    held = assignment;
    player.duo.pause();
    hold(true);
  } else {
    goOn();
  }
  supply();
}

/** Shows the pair that waits behind; without one, what we wait for. */
function goOn() {
  putAway();
  if (next) {
    show(next);
    follow(null, next);
    return;
  }
  player.empty();
  leases.hold([]);
  showWait();
}

/** Why nothing is in hand while the server has not answered yet. */
export function showWait() {
  const [why, waiting] = [troubleMet(), keeping.waits];
  if (why === "unreachable") showEmpty(waiting ? "offline" : "unreachable", { waiting });
  else showEmpty(why ?? "loading", { waiting });
}

function wasTaken({ verb, assignment, body }, answer) {
  taken({ verb, assignment, body }, answer);
  clearWord("reported");
  if (verb === "report") sayReported(answer);
  else if (verb === "skip") passingWord(say("skipped"));
  else passingWord(say(SUBMITTED[answer.annotation.surplus] ?? "submitted"), "good");
}

/** By the reason for which an answer is kept and not counted. */
const SUBMITTED = {
  surplus: "submitted_late",
  surplus_study_closed: "submitted_study_closed",
  surplus_batch_closed: "submitted_batch_closed",
};

/** Answers that the server takes only when their person agrees again: they stay here, and are sent then. */
function sayHeldBack() {
  const n = keeping.heldBackOf(study);
  if (!n) return clearWord("consent");
  return standingWord("consent", say("consent_first", { n }), "warn", [{ label: say("what_i_see"), href: page.urlConsent }]);
}

/** Says what became of a report, and offers to talk to someone, until the next pair is done. */
function sayReported({ report: outcome }) {
  const talk = () => {
    setHidden(true);
    openSheet("talk");
  };
  clearWord("reported");
  standingWord("reported", say(`reported_${outcome}`), "", [{ label: say("talk"), run: talk }]);
}

const REFUSED = { submit: "answer_refused", skip: "skip_refused", report: "report_refused" };

function wasRefused({ verb }, error) {
  if (verb === "submit" && error.code !== "already_answered") answered -= 1;
  if (isOver(error)) return passingWord(say("elsewhere"), "warn");
  const words = say(REFUSED[verb], { detail: error.message });
  return standingWord("refused", words, "bad", [{ label: say("understood"), run: () => clearWord("refused") }]);
}

/** Gives the pair in hand up and looks what lies there instead. */
async function leaveFor(word) {
  if (hand.busy || !works) return;
  putAway();
  showEmpty("loading");
  await supply();
  if (word && hand.assignment) passingWord(say(word), "warn");
}

// --- Stored answers on the page again -----------------------------------------------------------------

/** The answers are stored, and the study asks to look at them once more before the pair that `desk` holds. */
function secondLook(desk) {
  held = null;
  hold(false);
  leases.hold([desk.current, desk.next]);
  clock.reset();
  revising.lookAgain(hand.assignment.id, sheet.answers(), { ...desk, second_look: false });
}

/** Puts an answered pair on the page, with its answers, as the address asks. False if that is refused. */
async function reopen(id) {
  const assignment = await revising.reopen(id);
  if (!assignment) return false;
  drafts.attend(null);
  lay(assignment, assignment.draft, { number: null });
  leases.hold([]);
  clock.reset();
  revising.reopened(assignment, sheet.answers());
  return true;
}

/** Waits for a change of stored answers to be taken, and goes on to the desk that follows it. */
async function change(finishing) {
  hold(true);
  player.duo.pause();
  try {
    const desk = await finishing;
    putAway();
    take(desk);
  } catch (error) {
    hold(false);
    if (!(error instanceof Refused)) throw error;
    passingWord(say("refused", { detail: error.message }), "bad");
  }
}

// --- What happens around ------------------------------------------------------------------------------

onAnswer(() => { if (!revising.open) drafts.changed(); });
onAddressExpired(async (reel) => {
  const assignment = await leases.renew(reel.id);
  if (assignment) reel.readdress(clipsOf(assignment));
  return assignment !== null;
});
setInterval(() => drafts.grew(), 5000);

/**
 * Hides, pauses and mutes both videos, or shows them; a reload keeps it so. A hide `counts` as a sign of distress unless a
 * dialog asked for it.
 */
export function setHidden(hidden, { counts = true } = {}) {
  if (!hand.assignment) return;
  player.hide(hidden, { counts });
  noteHidden(hidden);
  passingWord(hidden ? say(byTouch.matches ? "hidden_by_touch" : "hidden") : "");
}

export function noteHidden(hidden) {
  if (hand.assignment && !revising.open) keeping.keep(study, hand.assignment.id, { hidden });
}

/** Something stands between us and the server, or no longer does: `kind` as in trouble.js, or null. */
export function onTrouble(kind, detail) {
  if (!works) return;
  if (kind && held !== null) goOn();
  if (kind === "somebody_else") {
    if (hand.assignment) player.duo.pause();
    showEmpty(kind, { detail });
    supply(); // finds out when the person is back
  } else if (hand.assignment) {
    uncover();
  } else if (kind) {
    showWait();
  }
}

function keptChanged() {
  if (keeping.works) clearWord("storage");
  else standingWord("storage", say("storage"), "warn");
}

onTold("desk", ({ study: other, person: whose, tab: newer }) => {
  if (other === study && whose === person && newer !== tab) takenOver();
});
onTold("wiped", ({ person: whose }) => {
  if (whose === person) stopWorking("signed_out");
});

/** The person is signed in, as this page needs it. */
export function resume() {
  if (!works && panelShown() === "signed_out") begin();
  else tryNow();
}

/** Another tab works on the study now. What this one wrote before is there; it writes no more. */
function takenOver() {
  stopWorking("taken_over");
}

function stopWorking(why) {
  if (!works) return;
  works = false;
  held = null;
  if (hand.busy) hold(false);
  drafts.drop();
  clear();
  player.empty();
  leases.hold([]);
  next = null;
  showEmpty(why);
}

addEventListener("beforeunload", (event) => {
  if (keeping.waits && !keeping.works) event.preventDefault(); // they would be lost with the page
});
