/** A person's own settings of this page, kept in the browser. */

import { all, given, one } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";

const NAME = `diptych:${document.body.dataset.person}:settings`;

/** Which key (`event.code`) gives which answer. @type {Record<string, Record<string, string>>} */
const PRESETS = {
  middle: { KeyF: "left", KeyT: "tie", KeyJ: "right" },
  "left-hand": { KeyA: "left", KeyT: "tie", KeyD: "right" },
  "right-hand": { KeyJ: "left", KeyK: "tie", KeyL: "right" },
  off: {},
};

/** @type {{ keys: string, advance: boolean, autoplay: boolean, theme: string } & Partial<import("../player/choices.js").Chosen>} */
export const settings = { keys: "middle", advance: true, autoplay: false, theme: "dark", ...read(NAME) };

/** Keeps what the person chose at the player. @param {import("../player/choices.js").Chosen} chosen */
export function keepChosen(chosen) {
  Object.assign(settings, chosen);
  write(NAME, settings);
}

export const answerKeys = () => PRESETS[settings.keys] ?? PRESETS.middle;

/** Where fingers point, no keys are named. */
export const byTouch = matchMedia("(pointer: coarse)");

/** The theme that is seen: light or dark. */
export function shownTheme() {
  if (settings.theme !== "system") return settings.theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Fills the controls of the settings, and keeps what is changed there. @param {() => unknown} onChange */
export function bindSettings(onChange) {
  const changed = () => {
    write(NAME, settings);
    paint();
    onChange();
  };
  for (const name of /** @type {const} */ (["keys", "theme"])) {
    const choice = one(`select[data-setting="${name}"]`);
    choice.value = settings[name];
    choice.addEventListener("change", () => { settings[name] = choice.value; changed(); });
  }
  for (const name of /** @type {const} */ (["advance", "autoplay"])) {
    const box = one(`input[data-setting="${name}"]`);
    box.checked = settings[name];
    box.addEventListener("change", () => { settings[name] = box.checked; changed(); });
  }
  paint();
}

/** Puts on the theme, and shows the keys beside what they do, or hides them where they do nothing. */
function paint() {
  document.documentElement.dataset.theme = settings.theme;
  document.body.toggleAttribute("data-keys-off", settings.keys === "off");
  const byAnswer = Object.fromEntries(Object.entries(answerKeys()).map(([code, answer]) => [answer, code.slice(3)]));
  for (const hint of all("[data-key-hint]")) hint.textContent = byAnswer[given(hint, "keyHint")] ?? "";
}
