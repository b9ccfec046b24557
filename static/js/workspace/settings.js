/** A person's own settings of this page, kept in the browser. */

import { all } from "../page/dom.js";
import { read, write } from "./keeping.js";

const NAME = `diptych:${document.body.dataset.person}:settings`;

/** Which key (`event.code`) gives which answer. */
const PRESETS = {
  middle: { KeyF: "left", KeyT: "tie", KeyJ: "right" },
  "left-hand": { KeyA: "left", KeyS: "tie", KeyD: "right" },
  "right-hand": { KeyJ: "left", KeyK: "tie", KeyL: "right" },
  off: {},
};

export const settings = { keys: "middle", advance: true, autoplay: false, theme: "dark", ...read(NAME) };

export const answerKeys = () => PRESETS[settings.keys] ?? PRESETS.middle;

/** Where fingers point, no keys are named. */
export const byTouch = matchMedia("(pointer: coarse)");

/** The theme that is seen: light or dark. */
export function shownTheme() {
  if (settings.theme !== "system") return settings.theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

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

/** Puts on the theme, and shows the keys beside what they do, or hides them where they do nothing. */
function paint() {
  document.documentElement.dataset.theme = settings.theme;
  document.body.toggleAttribute("data-keys-off", settings.keys === "off");
  const byAnswer = Object.fromEntries(Object.entries(answerKeys()).map(([code, answer]) => [answer, code.slice(3)]));
  for (const hint of all("[data-key-hint]")) hint.textContent = byAnswer[hint.dataset.keyHint] ?? "";
}
