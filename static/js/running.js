/** Says before saving that a change makes another protocol. */

const form = document.querySelector("[data-settings]");
const says = form.querySelector("[data-makes-protocol]");

const stood = (control) => {
  if (control.type === "checkbox") return control.defaultChecked;
  if (control.tagName === "SELECT") return [...control.options].find((option) => option.defaultSelected)?.value;
  return control.defaultValue;
};
const stands = (control) => (control.type === "checkbox" ? control.checked : control.value);
const tell = () => {
  const controls = [...form.querySelectorAll("[data-of-protocol] :is(input, select)")];
  says.textContent = controls.some((control) => stands(control) !== stood(control)) ? says.dataset.words : "";
};

if (says) {
  form.addEventListener("change", tell);
  tell();
}
