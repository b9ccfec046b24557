/** Show the current pair with its prompt, videos and answers, remove it, and collect what is sent to the server. */

import { anyOpen } from "../page/dialogs.js";
import { one, say } from "../page/dom.js";
import { endPassing, removePassing } from "../page/status.js";
import { form } from "./answer_form.js";
import { careReports } from "./care_reports.js";
import { TICK_MS, clock } from "./clock.js";
import { current } from "./current_pair.js";
import { hideEmpty } from "./empty.js";
import { unlockAnswers } from "./gates.js";
import { navigation } from "./navigation.js";
import { guideline } from "./guideline.js";
import { paintTagKeys } from "./keys.js";
import { resetCues, withPresentation } from "./presentation.js";
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
 * Return the answers and the report of the current pair in the format of the API. The exposure in it then counts as being sent.
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

/** Return the part that the person works on, for the clock. */
function stage() {
  if (!current.assignment || current.busy || !page.assignment) return null;
  if (!current.began && !form.touched) return "prompt";
  const { dimension } = navigation;
  return `${dimension}_stage${form.stageComplete(dimension, "1") ? 2 : 1}`;
}

/**
 * Show a pair with the answers that the person has already given.
 *
 * @param {Api.Assignment} assignment
 * @param {Api.Draft | undefined} draft
 * @param {object} options
 * @param {number | null} options.number ordinal number of this pair for the person; null: no number is shown
 * @param {boolean} [options.hidden]
 * @param {Api.Care} [options.earlierCare] the last report of this browser about an earlier showing of the pair
 */
export function show(assignment, draft, { hidden = false, number, earlierCare }) {
  Object.assign(current, { assignment, began: false, busy: false });
  hideEmpty();
  endPassing();
  removePassing(say("previous_none"));
  if (!hidden) forgetHidden();
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
  navigation.forgetNudge();
  navigation.reset(assignment.dimension_first);
  unlockAnswers();
  lead();
  if (settings.autoplay) player.startByItself();
  showReturned(assignment);
  guideline.attend(assignment, draft?.viewing?.guideline);
}

/** Show the current pair again after a panel was shown instead. @param {Api.Assignment} assignment */
export function uncover(assignment) {
  hideEmpty();
  page.assignment = String(assignment.id);
}

/** Remove the current pair. Its video elements stay until the next pair is shown. */
export function clear() {
  player.paired.pause();
  Object.assign(current, { assignment: null, began: false });
  forgetHidden();
  name(null);
}

/** Remove the message that the videos are hidden. */
function forgetHidden() {
  for (const word of ["hidden", "hidden_by_touch"]) removePassing(say(word));
}

/** Make the page wait while an answer is being sent, or end the waiting. @param {boolean} waits */
export function wait(waits) {
  current.busy = waits;
  answers.inert = waits;
  document.body.toggleAttribute("data-busy", waits);
}

/** Update what depends on the answers after one was given, changed or undone. */
export function answersChanged() {
  navigation.refresh();
  navigation.forgetNudge();
}

/** @param {number | null} number */
function name(number) {
  const pair = number === null ? "" : say("pair", { n: number });
  pairNumber.textContent = pair;
  document.title = [pair, page.studyTitle].filter(Boolean).join(" · ");
}

/** Move the focus to the first question, now or after the open dialog is closed. */
function lead() {
  if (anyOpen()) {
    addEventListener("close", lead, { capture: true, once: true });
    return;
  }
  if (!current.assignment) return;
  const first = navigation.firstMissing();
  if (settings.advance && first) navigation.focus(first);
  else heading.focus({ preventScroll: true });
  scrollTo({ top: 0 }); // if the page scrolls, a pair begins with its prompt
}

/** @param {Api.Viewing | undefined} viewing */
const earlierViewing = (viewing) =>
  viewing && { left: viewing[videoOn("left")], right: viewing[videoOn("right")], presentation: viewing.presentation };
