/** Whoever has said no time zone gets the browser's as the one to save; others are told where it differs. */

const select = document.querySelector("[name=time_zone]");
const hint = document.querySelector("[data-own-zone]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const option = [...select.options].find(({ value }) => value === zone);

const tell = () => { hint.hidden = !option || select.value === zone; };

if (option) {
  hint.querySelector("[data-own-zone-name]").textContent = zone.replaceAll("_", " ");
  if (!select.value) select.value = zone;
  select.addEventListener("change", tell);
  hint.querySelector("[data-use-zone]").addEventListener("click", () => {
    select.value = zone;
    tell();
    select.focus();
  });
  tell();
}
