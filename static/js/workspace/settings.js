/** A person's own settings of this page, kept in the browser. */

import { all } from "./dom.js";
import { read, write } from "./keeping.js";

const NAME = `diptych:${document.body.dataset.person}:settings`;

/** Which key (`event.code`) gives which answer. */
const PRESETS = {
  middle: { KeyF: "left", KeyT: "tie", KeyJ: "right" },
  "left-hand": { KeyA: "left", KeyS: "tie", KeyD: "right" },
  "right-hand": { KeyJ: "left", KeyK: "tie", KeyL: "right" },
  off: {},
};

export const settings = { keys: "middle", advance: true, autoplay: false, ...read(NAME) };

export const answerKeys = () => PRESETS[settings.keys] ?? PRESETS.middle;

/** Fills the controls of the settings, and keeps what is changed there. */
export function bindSettings(onChange) {
  for (const control of all("[data-setting]")) {
    const name = control.dataset.setting;
    const property = control.type === "checkbox" ? "checked" : "value";
    control[property] = settings[name];
    control.addEventListener("change", () => {
      settings[name] = control[property];
      write(NAME, settings);
      paint();
      onChange();
    });
  }
  paint();
}

/** Shows the keys beside what they do, or hides them where they do nothing. */
function paint() {
  document.body.toggleAttribute("data-keys-off", settings.keys === "off");
  const byAnswer = Object.fromEntries(Object.entries(answerKeys()).map(([code, answer]) => [answer, code.slice(3)]));
  for (const hint of all("[data-key-hint]")) hint.textContent = byAnswer[hint.dataset.keyHint] ?? "";
}
