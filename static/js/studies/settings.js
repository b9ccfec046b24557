/** Warns before saving that a change starts a new protocol version. */

import { all, find, given, one } from "../page/dom.js";

const form = one("form[data-settings]");
const warning = find("[data-makes-protocol]", form);

/** @param {HTMLInputElement | HTMLSelectElement} control */
const savedValue = (control) => {
  if (control instanceof HTMLSelectElement) return [...control.options].find((option) => option.defaultSelected)?.value;
  return control.type === "checkbox" ? control.defaultChecked : control.defaultValue;
};
/** @param {HTMLInputElement | HTMLSelectElement} control */
const value = (control) => (control.type === "checkbox" && "checked" in control ? control.checked : control.value);

if (warning) {
  const update = () => {
    const controls = [...all("[data-of-protocol] input", form), ...all("[data-of-protocol] select", form)];
    warning.textContent = controls.some((control) => value(control) !== savedValue(control)) ? given(warning, "words") : "";
  };
  form.addEventListener("change", update);
  update();
}
