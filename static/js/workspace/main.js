/** The workspace: what joins its parts. Who adds to what is sent, or acts when a pair comes or goes, has a line here. */

import { signOutWith } from "../sign_out.js";
import { answering, guide, player } from "./bench.js";
import { begin, countAnswered, keeping, lookAgain, noteHidden, onTrouble, report, resume, setHidden, skip, submit } from "./desk.js";
import { bindDialogs, openSheet } from "./dialogs.js";
import { one, onAction, say } from "../page/dom.js";
import { bindKeys } from "./keys.js";
import { forgetLocalStorage } from "./keeping.js";
import { Guideline } from "./guideline.js";
import { hand, onShow } from "./pair.js";
import { bindPrompt } from "./prompt.js";
import { keepServerTime } from "./server_time.js";
import { showReturned } from "./returned.js";
import { bindReport } from "./report.js";
import { bindSettings } from "./settings.js";
import { bindSignIn, openSignIn } from "./sign_in.js";
import { onTold } from "./tabs.js";
import { bindTimeOnTask } from "./time_on_task.js";
import { watchTrouble } from "./trouble.js";
import { welcome } from "./welcome.js";

// --- What others join in with: `reportWith`, `onShow`, `onLeave`, `onTaken` of pair.js, `onPanel` of empty.js -----
onShow(showReturned);
onShow(() => welcome(countAnswered()));
const guideline = new Guideline({ onRead: lookAgain, turn: () => guide.turn() });

// --- Acts, by key and by control ----------------------------------------------------------------------
bindKeys({
  toggle: () => player.toggle(),
  frame: (count) => player.duo.step(count),
  second: (count) => player.duo.stepSeconds(count),
  select: (selection) => player.duo.select(selection),
  reveal: () => player.turnVeil(),
  help: () => openSheet("help"),
  guideline: () => guideline.openHere(),
  submit,
  answer: (value) => answering.answer(value),
  tag: (index) => answering.tag(index),
  none: () => answering.none(),
  yes: () => answering.yes(),
  pass: () => answering.pass(),
  passTags: () => answering.passTags(),
  undo: () => (hand.busy ? false : answering.undo()),
  hideOrShow: () => setHidden(!player.hidden),
});
one("[data-answers]").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
bindPrompt();
bindSettings(() => hand.assignment && guide.refresh());
const hideVideos = () => setHidden(true, { counts: false });
bindReport({ onOpen: hideVideos, onReport: report });
bindDialogs({ onSkip: skip, hideVideos, isUnrevealed: () => player.isUnrevealed });
onAction("talk", () => { hideVideos(); openSheet("talk"); });
onAction("ask-again", lookAgain);
onAction("work-here", begin);
onAction("reveal", () => noteHidden(false));

// --- What stands between us and the server ------------------------------------------------------------
const meet = watchTrouble({ waits: () => keeping.waits, signIn: openSignIn, onChange: onTrouble });
bindSignIn();
onTold("person", ({ person, name }) => {
  if (person === keeping.person) resume();
  else if (person) meet("somebody_else", say("signed_in_as", { name }));
});
signOutWith(keeping);
keepServerTime();
bindTimeOnTask();

forgetLocalStorage();
await keeping.open();
begin();
