/** The current pair on the page, with its prompt, videos and answers: put there, taken off, and read for what is sent. */

import { anyOpen } from "../page/dialogs.js";
import { one, say } from "../page/dom.js";
import { form } from "./answer_form.js";
import { careReports } from "./care_reports.js";
import { TICK_MS, clock } from "./clock.js";
import { current } from "./current_pair.js";
import { hideEmpty } from "./empty.js";
import { openGates } from "./gates.js";
import { guide } from "./guide.js";
import { guideline } from "./guideline.js";
import { paintTagKeys } from "./keys.js";
import { resetCues, withPresentation } from "./presenting.js";
import { showPrompt, showVideoTexts } from "./prompt.js";
import { showReturned } from "./returned.js";
import { settings } from "./settings.js";
import { care, clipsOf, player } from "./videos.js";

const page = document.body.dataset;
const heading = one("[data-heading]");
const pairNumber = one("[data-pair-number]");
const answers = one("form[data-answers]");

/** @param {Side} side */
const videoOn = (side) => form.videoOn(side);

/**
 * Return the answers and the report of the current pair, as the API takes them. What it reports of the person's exposure counts as
 * on its way then.
 *
 * @returns {Api.Draft}
 */
export function collect() {
  clock.tick(stage());
  careReports.collected();
  const viewing = withPresentation(player.report(videoOn));
  return {
    ...form.answers(),
    timings_ms: { ...clock.timings },
    viewing: { ...viewing, guideline: guideline.report() },
    care: care(),
  };
}

setInterval(() => clock.tick(stage()), TICK_MS);

/** Which part is being worked on, for the clock. */
function stage() {
  if (!current.assignment || current.busy || !page.assignment) return null;
  if (!current.began && !form.touched) return "prompt";
  const { dimension } = guide;
  return `${dimension}_stage${form.stageComplete(dimension, "1") ? 2 : 1}`;
}

/**
 * Puts a pair on the page, with what was answered of it before.
 *
 * @param {Api.Assignment} assignment
 * @param {Api.Draft | undefined} draft
 * @param {object} options
 * @param {number | null} options.number the person's ordinal number of this pair; null: none is shown
 * @param {boolean} [options.hidden]
 * @param {Api.Care} [options.earlierCare] the last report of this browser about an earlier showing of the pair
 */
export function show(assignment, draft, { hidden = false, number, earlierCare }) {
  Object.assign(current, { assignment, began: false, busy: false });
  hideEmpty();
  page.assignment = String(assignment.id);
  form.reset(assignment);
  form.fill(draft);
  paintTagKeys();
  clock.reset(draft?.timings_ms);
  const clips = clipsOf(assignment);
  player.show(assignment, clips, { hidden, viewing: earlierViewing(draft?.viewing), care: earlierCare });
  name(number);
  showPrompt(assignment.prompt);
  showVideoTexts({ left: clips.left.video_text, right: clips.right.video_text });
  resetCues(draft?.viewing?.cues);
  guide.forgetNudge();
  guide.reset(assignment.dimension_first);
  openGates();
  lead();
  if (settings.autoplay) player.startByItself();
  showReturned(assignment);
  guideline.attend(assignment, draft?.viewing?.guideline);
}

/** Shows the current pair again, after a panel stood in its place. @param {Api.Assignment} assignment */
export function uncover(assignment) {
  hideEmpty();
  page.assignment = String(assignment.id);
}

/** Takes the current pair off the page; its video elements go on until the next one is shown. */
export function clear() {
  player.duo.pause();
  Object.assign(current, { assignment: null, began: false });
  name(null);
}

/** Makes the page wait while an answer is on its way, or go on. @param {boolean} waits */
export function wait(waits) {
  current.busy = waits;
  answers.inert = waits;
  document.body.toggleAttribute("data-busy", waits);
}

/** Brings what depends on the answers up to date after one was given, changed or taken back. */
export function answersChanged() {
  guide.refresh();
  guide.forgetNudge();
}

/** @param {number | null} number */
function name(number) {
  const pair = number === null ? "" : say("pair", { n: number });
  pairNumber.textContent = pair;
  document.title = [pair, page.studyTitle].filter(Boolean).join(" · ");
}

/** Leads eye and keyboard to where the work goes on: at once, or as soon as the dialog is closed that ended the pair before. */
function lead() {
  if (anyOpen()) {
    addEventListener("close", lead, { capture: true, once: true });
    return;
  }
  if (!current.assignment) return;
  const first = guide.firstMissing();
  if (settings.advance && first) guide.focus(first);
  else heading.focus({ preventScroll: true });
  scrollTo({ top: 0 }); // where the page scrolls, a pair begins with its prompt
}

/** @param {Api.Viewing | undefined} viewing */
const earlierViewing = (viewing) =>
  viewing && { left: viewing[videoOn("left")], right: viewing[videoOn("right")], presentation: viewing.presentation };
