/** The workspace: what a person can do, by key and by control, and where it begins. */

import { openDialog } from "../page/dialogs.js";
import { around, one, onAction, say } from "../page/dom.js";
import { answering } from "./answering.js";
import { current } from "./current_pair.js";
import { bindDefinitions, defineTag, toggleDefinition } from "./definitions.js";
import { guide } from "./guide.js";
import { guideline } from "./guideline.js";
import { hideVideos, noteHidden, setHidden } from "./hiding.js";
import { bindKeys } from "./keys.js";
import { outbox } from "./outbox.js";
import { bindPrompt, togglePrompt } from "./prompt.js";
import { bindReporting } from "./reporting.js";
import { keepServerTime } from "./server_time.js";
import { begin, keepAnswers, lookAgain, resume, submit } from "./session.js";
import { bindSettings } from "./settings.js";
import { bindSignIn } from "./sign_in.js";
import { bindSkipping } from "./skipping.js";
import { bindSplit } from "./split.js";
import { onTold } from "./tabs.js";
import { bindTimeOnTask } from "./time_on_task.js";
import { meet, watchTrouble } from "./trouble.js";
import { player } from "./videos.js";

bindKeys({
  toggle: () => player.toggle(),
  frame: (count) => player.duo.step(count),
  second: (count) => player.duo.stepSeconds(count),
  select: (selection) => player.duo.select(selection),
  reveal: () => player.turnVeil(),
  help: () => openDialog("help"),
  guideline: () => guideline.openHere(),
  togglePrompt,
  toggleDefinition,
  defineTag,
  submit,
  answer: (value) => answering.answer(value),
  tag: (index) => answering.tag(index),
  none: () => answering.none(),
  yes: () => answering.yes(),
  pass: () => answering.pass(),
  passTags: () => answering.passTags(),
  undo: () => (current.busy ? false : answering.undo()),
  hideOrShow: () => setHidden(!player.hidden),
});
one("form[data-answers]").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
bindSplit();
bindPrompt();
bindDefinitions();
bindSettings(() => current.assignment && guide.refresh());
bindSkipping();
bindReporting();
onAction("help", () => openDialog("help"));
onAction("talk", () => { hideVideos(); openDialog("talk"); });
onAction("keep-answers", keepAnswers);
onAction("guideline-read", async () => { if (await guideline.confirm()) lookAgain(); });
onAction("ask-again", lookAgain);
onAction("work-here", begin);
onAction("reveal", () => noteHidden(false));
document.addEventListener("click", (event) => around(event, "[data-close]")?.closest("dialog")?.close());

watchTrouble();
bindSignIn();
onTold("person", ({ person, name }) => {
  if (person === outbox.person) resume();
  else if (person) meet("somebody_else", say("signed_in_as", { name }));
});
keepServerTime();
bindTimeOnTask();

await outbox.open();
begin();
