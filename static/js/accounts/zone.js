/** Whoever has said no time zone gets the browser's as the one to save; others are told where it differs. */

import { one } from "../page/dom.js";
import { browserZone } from "../page/times.js";

const select = one("select[name=time_zone]");
const hint = one("[data-own-zone]");
const zone = browserZone();
const option = [...select.options].find(({ value }) => value === zone);

const tell = () => { hint.hidden = !option || select.value === zone; };

if (option) {
  one("[data-own-zone-name]", hint).textContent = zone.replaceAll("_", " ");
  if (!select.value) select.value = zone;
  select.addEventListener("change", tell);
  one("[data-use-zone]", hint).addEventListener("click", () => {
    select.value = zone;
    tell();
    select.focus();
  });
  tell();
}
