/** The workspace: takes pairs from the desk, shows them, keeps what is answered, and sends it. */

import { Player } from "../player/player.js";
import { Refused, SignedOut, Unreachable, addressOf, send } from "./api.js";
import { Clock } from "./clock.js";
import { bindDialogs, openSheet } from "./dialogs.js";
import { one, onAction, say } from "./dom.js";
import { Drafts } from "./drafts.js";
import { hideEmpty, showEmpty } from "./empty.js";
import { Guide } from "./guide.js";
import { forget, keep, kept, submissionId, unsent } from "./keeping.js";
import { bindKeys, paintTagKeys } from "./keys.js";
import { Leases } from "./lease.js";
import { submitUntilAnswered, untilAnswered } from "./sending.js";
import { bindSettings, settings } from "./settings.js";
import { Sheet } from "./sheet.js";
import { passingWord } from "./status.js";
import { bindPrompt, showPrompt } from "./prompt.js";

const page = document.body.dataset;
const RETRY_S = 10;

let current = null;
let busy = false;
let began = false;
let answered = Number(page.answered);
let advancing = true;

const sheet = new Sheet();
const player = new Player({ onExpired: freshAddresses, onPlay: () => { began = true; } });
const guide = new Guide(sheet, () => clock?.tick());
const clock = new Clock(stage);
const drafts = new Drafts(collect, () => leaveFor("elsewhere"));
const leases = new Leases({
  idleMs: () => clock.idleMs,
  onTakeNext: () => leaveFor(null),
  onAnswered: () => { if (!busy) leaveFor("elsewhere"); },
});

/** Which part is being worked on, for the clock. */
function stage() {
  if (!current || busy) return null;
  if (!began && !sheet.touched) return "prompt";
  const dimension = guide.dimension;
  return `${dimension}_stage${sheet.stageComplete(dimension, "1") ? 2 : 1}`;
}

/** The draft of the pair in hand, as the API takes it. */
function collect() {
  clock.tick();
  return { ...sheet.answers(), timings_ms: clock.timings, viewing: player.report((side) => sheet.videoOn(side)) };
}

const clipsOf = (assignment) => {
  const right = assignment.left === "video_0" ? "video_1" : "video_0";
  return { left: assignment[assignment.left], right: assignment[right] };
};

/** Asks for the desk: what is being worked on, and what comes next. */
async function openDesk() {
  showEmpty("loading");
  for (const [id, body] of unsent()) await sendKept(id, body);
  try {
    take(await send("POST", page.urlLease));
  } catch (error) {
    const reason = error instanceof SignedOut ? "signed_out" : error instanceof Unreachable ? "unreachable" : "refused";
    const seconds = reason === "refused" ? null : RETRY_S;
    showEmpty(reason, { detail: error.message, seconds, again: openDesk });
    if (!(error instanceof Refused || error instanceof SignedOut || error instanceof Unreachable)) throw error;
  }
}

/** An answer whose sending was cut off by a reload or a crash: the same id again, so it is stored once. */
async function sendKept(id, body) {
  passingWord(say("sending_kept"));
  try {
    const { created } = await submitUntilAnswered(id, { ...body, lease_next: false });
    if (created) answered += 1; // else it was stored, and counted, before the page was loaded
    passingWord("");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

/** Puts a desk, as every leasing endpoint answers it, on the page. */
function take(desk) {
  if (desk.current) {
    show(desk.current);
    if (desk.next) player.prepare(desk.next.id, clipsOf(desk.next));
    leases.hold([desk.current, desk.next]);
    return;
  }
  current = null;
  drafts.attend(null);
  leases.hold([]);
  player.empty();
  showEmpty(desk.reason ?? "refused", { seconds: desk.retry_after_s, again: openDesk, answered });
  one("[data-empty]").scrollIntoView({ block: "nearest" });
}

function show(assignment) {
  if (current?.id === assignment.id) return;
  current = assignment;
  began = false;
  const record = kept(assignment.id);
  const draft = record.draft && !record.synced ? record.draft : (assignment.draft ?? record.draft);
  hideEmpty();
  page.assignment = String(assignment.id);
  sheet.reset(assignment);
  sheet.fill(draft);
  paintTagKeys();
  clock.reset(draft?.timings_ms);
  player.show(assignment.id, clipsOf(assignment), { hidden: record.hidden, earlier: earlierViewing(draft?.viewing) });
  drafts.attend(assignment.id);
  if (draft && draft === record.draft && !record.synced) drafts.changed();
  const pair = say("pair", { n: answered + 1 });
  one("[data-pair-number]").textContent = pair;
  document.title = `${pair} · ${page.studyTitle}`;
  showPrompt(assignment.prompt);
  guide.reset(assignment.dimension_first);
  scrollTo({ top: 0 });
  const first = guide.firstMissing();
  if (settings.advance && first) guide.focus(first);
  else one("[data-heading]").focus({ preventScroll: true });
  if (settings.autoplay) player.play();
}

const earlierViewing = (viewing) =>
  viewing && { left: viewing[sheet.videoOn("left")], right: viewing[sheet.videoOn("right")], presentation: viewing.presentation };

/** A video's address has expired: the renewed lease brings new ones. */
async function freshAddresses(reel) {
  const assignment = await leases.renew(reel.id);
  if (assignment) reel.readdress(clipsOf(assignment));
  return assignment !== null;
}

async function submit() {
  if (busy || !current) return;
  if (!sheet.complete) {
    guide.moveOn(guide.current);
    one("[data-why-not]").toggleAttribute("data-nudge", true);
    return;
  }
  const { id } = current;
  const body = { ...collect(), submission_id: submissionId(id), lease_next: true };
  await leaving(async () => {
    const answer = await submitUntilAnswered(id, body);
    answered += 1;
    passingWord(say(answer.annotation.counted ? "submitted" : "submitted_late"), "good");
    return answer;
  });
}

/** Skips for good, with a reason. */
async function skip(reason) {
  if (busy || !current || !reason) return;
  const { id } = current;
  await leaving(async () => {
    const desk = await untilAnswered(() => send("POST", addressOf("skip", id), { reason }));
    forget(id);
    passingWord(desk.current ? say("skipped") : "");
    return desk;
  });
}

/** Runs what ends the pair in hand, with the page held still, and takes the desk that it answers. */
async function leaving(end) {
  hold(true);
  player.duo.pause();
  drafts.attend(null);
  try {
    const desk = await end();
    hold(false);
    current = null;
    take(desk);
  } catch (error) {
    hold(false);
    if (!(error instanceof Refused)) throw error;
    if (error.status === 409) return leaveFor("elsewhere");
    drafts.attend(current.id);
    passingWord(say(error.status === 404 ? "not_yours" : "refused", { detail: error.message }), "bad");
  }
  return undefined;
}

function hold(still) {
  busy = still;
  one("[data-answers]").inert = still;
  document.body.toggleAttribute("data-busy", still);
}

/** Gives the pair in hand up and asks for the desk anew. */
async function leaveFor(word) {
  current = null;
  await openDesk();
  if (word && current) passingWord(say(word), "warn");
}

/** Hides, pauses and mutes both videos, or shows them; a reload keeps it so. */
function setHidden(hidden) {
  if (!current) return;
  player.hide(hidden);
  keep(current.id, { hidden });
  passingWord(hidden ? say("hidden") : "");
}

const inTagStep = () => {
  const step = guide.turn();
  return step?.dataset.step.startsWith("tags-") ? step : null;
};

const act = {
  toggle: () => player.toggle(),
  frame: (count) => player.duo.step(count),
  second: (count) => player.duo.stepSeconds(count),
  select: (selection) => player.duo.select(selection),
  help: () => openSheet("help"),
  submit,
  answer(value) {
    const step = guide.turn();
    if (!step || inTagStep()) return false;
    const had = one("input:checked", step)?.value;
    if (!sheet.choose(step, value)) return false;
    if (had === value) guide.advance(step);
    return true;
  },
  tag(index) {
    const step = inTagStep();
    if (!step) return false;
    advancing = false;
    one("[data-tags]", step).querySelectorAll("input")[index].click();
    advancing = true;
    return true;
  },
  none() {
    const step = inTagStep();
    if (!step) return false;
    const { side } = step.dataset;
    if (player.viewing.seen(side)) sheet.choose(step, "none");
    else passingWord(say("seen_first", { side: say(side) }), "warn");
    return true;
  },
  pass() {
    const step = inTagStep();
    if (!step) return false;
    guide.pass(step);
    return true;
  },
  /** Tab on a tagged video as a whole moves on; on an untouched one it goes into its boxes, as everywhere. */
  passTags() {
    const step = inTagStep();
    return step && sheet.isAnswered(step) && guide.following(step) ? act.pass() : false;
  },
  undo() {
    if (busy) return false;
    const step = sheet.undo();
    if (!step) return false;
    guide.focus(step);
    afterChange();
    passingWord(say("undone"));
    return true;
  },
  hide: () => setHidden(true),
  hideOrShow: () => setHidden(!player.hidden),
};

function afterChange() {
  guide.refresh();
  drafts.changed();
  one("[data-why-not]").removeAttribute("data-nudge");
}

/** Arrows and Space keep their meaning on a focused control: the focus then stays there. */
let byArrow = false;

function bindForm() {
  const form = one("[data-answers]");
  form.addEventListener("keydown", (event) => {
    byArrow = event.target.matches("input") && (event.key === " " || event.key.startsWith("Arrow"));
    if (event.key === "Enter" && !event.ctrlKey && event.target.matches("input")) event.preventDefault();
  });
  form.addEventListener("pointerdown", () => { byArrow = false; });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  form.addEventListener("change", (event) => {
    const step = sheet.changed(event.target);
    afterChange();
    const decides = event.target.type === "radio" || event.target.value === "none";
    if (decides && event.target.checked && advancing && !byArrow) guide.advance(step);
    byArrow = false;
  });
}

bindForm();
bindKeys(act);
bindPrompt();
bindSettings(() => current && guide.refresh());
bindDialogs({ onSkip: skip, onOpen: () => player.duo.pause() });
onAction("ask-again", openDesk);
onAction("reveal", () => { if (current) keep(current.id, { hidden: false }); });
openDesk();
