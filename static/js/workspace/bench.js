/** The bench: the pair in hand on the page, with its prompt, player, answers and clock. */

import { Player } from "../player/player.js";
import { Answering } from "./answering.js";
import { Clock } from "./clock.js";
import { one, say } from "../page/dom.js";
import { hideEmpty } from "./empty.js";
import { Guide } from "./guide.js";
import { paintTagKeys } from "./keys.js";
import { hand, leaving, report, reportWith, shown } from "./pair.js";
import { resetCues, withPresentation } from "./presenting.js";
import { showPrompt, showVideoTexts } from "./prompt.js";
import { today } from "./server_time.js";
import { settings } from "./settings.js";
import { Sheet } from "./sheet.js";

const page = document.body.dataset;
let freshAddresses = async () => false;
let afterChange = () => {};

const seen = (side) => player.viewing.seen(side);

export const sheet = new Sheet();
export const player = new Player({
  onExpired: (reel) => freshAddresses(reel),
  onPlay: () => { hand.began = true; },
  idleMs: () => clock.idleMs,
  today,
});
export const guide = new Guide(sheet, () => clock?.tick(), seen);
export const answering = new Answering({ sheet, guide, seen, obstacle: (side) => player.obstacle(side), onChange: changed });
export const clock = new Clock(stage);

/** `fresh(reel)`: a video's address has expired; gives the reel new ones and answers whether it could. */
export const onAddressExpired = (fresh) => { freshAddresses = fresh; };

/** `run()` after an answer was given, changed or taken back. */
export const onAnswer = (run) => { afterChange = run; };

reportWith(() => sheet.answers());
reportWith(() => ({ timings_ms: { ...clock.timings } }));
reportWith(() => ({ viewing: withPresentation(player.report((side) => sheet.videoOn(side))) }));
/** What was revealed of the pair in hand. */
export const care = () => player.care((side) => sheet.videoOn(side));
reportWith(() => ({ care: care() }));

/** The draft of the pair in hand, as the API takes it. */
export function collect() {
  clock.tick();
  return report();
}

/** Which part is being worked on, for the clock. */
function stage() {
  if (!hand.assignment || hand.busy || !page.assignment) return null;
  if (!hand.began && !sheet.touched) return "prompt";
  const { dimension } = guide;
  return `${dimension}_stage${sheet.stageComplete(dimension, "1") ? 2 : 1}`;
}

export const clipsOf = (assignment) => {
  const right = assignment.left === "video_0" ? "video_1" : "video_0";
  return { left: assignment[assignment.left], right: assignment[right] };
};

/**
 * Puts a pair on the page, with what was answered of it before. `number`: the person's how manieth it is.
 * `earlierCare`: the last report of this browser about an earlier showing of the pair.
 */
export function lay(assignment, draft, { hidden = false, number, earlierCare }) {
  if (hand.assignment) clear();
  Object.assign(hand, { assignment, began: false, busy: false });
  hideEmpty();
  page.assignment = String(assignment.id);
  sheet.reset(assignment);
  sheet.fill(draft);
  paintTagKeys();
  clock.reset(draft?.timings_ms);
  const clips = clipsOf(assignment);
  player.show(assignment, clips, { hidden, viewing: earlierViewing(draft?.viewing), care: earlierCare });
  name(number);
  showPrompt(assignment.prompt);
  showVideoTexts({ left: clips.left.video_text, right: clips.right.video_text });
  resetCues(draft?.viewing?.cues);
  guide.reset(assignment.dimension_first);
  answering.openGates();
  lead();
  if (settings.autoplay) player.startByItself();
  shown(assignment, draft);
}

/** Shows the pair in hand again, after a panel stood in its place. */
export function uncover() {
  hideEmpty();
  page.assignment = String(hand.assignment.id);
}

/** Takes the pair in hand off the page; its video elements go on until the next one is laid. */
export function clear() {
  if (!hand.assignment) return;
  player.duo.pause();
  leaving();
  Object.assign(hand, { assignment: null, began: false });
  name(null);
}

/** Holds the page still while an answer is on its way, or lets it go. */
export function hold(still) {
  hand.busy = still;
  one("[data-answers]").inert = still;
  document.body.toggleAttribute("data-busy", still);
}

function name(number) {
  const pair = number === null ? "" : say("pair", { n: number });
  one("[data-pair-number]").textContent = pair;
  document.title = [pair, page.studyTitle].filter(Boolean).join(" · ");
}

/** Leads eye and keyboard to where the work goes on. */
function lead() {
  scrollTo({ top: 0 });
  const first = guide.firstMissing();
  if (settings.advance && first) guide.focus(first);
  else one("[data-heading]").focus({ preventScroll: true });
}

const earlierViewing = (viewing) =>
  viewing && { left: viewing[sheet.videoOn("left")], right: viewing[sheet.videoOn("right")], presentation: viewing.presentation };

function changed() {
  guide.refresh();
  one("[data-why-not]").removeAttribute("data-nudge");
  afterChange();
}
