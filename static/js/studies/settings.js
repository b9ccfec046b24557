/** Says before saving that a change makes another protocol. */

import { all, find, given, one } from "../page/dom.js";

const form = one("form[data-settings]");
const says = find("[data-makes-protocol]", form);

/** @param {HTMLInputElement | HTMLSelectElement} control */
const stood = (control) => {
  if (control instanceof HTMLSelectElement) return [...control.options].find((option) => option.defaultSelected)?.value;
  return control.type === "checkbox" ? control.defaultChecked : control.defaultValue;
};
/** @param {HTMLInputElement | HTMLSelectElement} control */
const stands = (control) => (control.type === "checkbox" && "checked" in control ? control.checked : control.value);

if (says) {
  const tell = () => {
    const controls = [...all("[data-of-protocol] input", form), ...all("[data-of-protocol] select", form)];
    says.textContent = controls.some((control) => stands(control) !== stood(control)) ? given(says, "words") : "";
  };
  form.addEventListener("change", tell);
  tell();
}
