/** The person's settings of this page, kept in the browser. */

import { all, given, one } from "../page/dom.js";
import { read, write } from "../page/local_settings.js";

const NAME = `diptych:${document.body.dataset.person}:settings`;

/** Answers by key (`event.code`), for each preset. @type {Record<string, Record<string, string>>} */
const PRESETS = {
  middle: { KeyF: "left", KeyT: "tie", KeyJ: "right" },
  "left-hand": { KeyA: "left", KeyT: "tie", KeyD: "right" },
  "right-hand": { KeyJ: "left", KeyK: "tie", KeyL: "right" },
  off: {},
};

/** @type {{ keys: string, advance: boolean, autoplay: boolean, theme: string } & Partial<import("../player/choices.js").Chosen>} */
export const settings = { keys: "middle", advance: true, autoplay: false, theme: "dark", ...read(NAME) };

/** Store the person's choices at the player. @param {import("../player/choices.js").Chosen} chosen */
export function keepChosen(chosen) {
  Object.assign(settings, chosen);
  write(NAME, settings);
}

export const answerKeys = () => PRESETS[settings.keys] ?? PRESETS.middle;

/** Whether the person points with a finger. Messages then name no keys. */
export const byTouch = matchMedia("(pointer: coarse)");

/** Return the visible theme: light or dark. */
export function shownTheme() {
  if (settings.theme !== "system") return settings.theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Fill the controls of the settings, and store changes. @param {() => unknown} onChange */
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

/** Apply the theme, and show the key of each answer, or hide the keys if shortcuts are off. */
function paint() {
  document.documentElement.dataset.theme = settings.theme;
  document.body.toggleAttribute("data-keys-off", settings.keys === "off");
  const byAnswer = Object.fromEntries(Object.entries(answerKeys()).map(([code, answer]) => [answer, code.slice(3)]));
  for (const hint of all("[data-key-hint]")) hint.textContent = byAnswer[given(hint, "keyHint")] ?? "";
}
