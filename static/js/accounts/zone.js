/** Preselects the browser's time zone if none is stored. Otherwise shows a hint if the two differ. */

import { one } from "../page/dom.js";
import { browserZone } from "../page/times.js";

const select = one("select[name=time_zone]");
const hint = one("[data-own-zone]");
const zone = browserZone();
const option = [...select.options].find(({ value }) => value === zone);

const updateHint = () => { hint.hidden = !option || select.value === zone; };

if (option) {
  one("[data-own-zone-name]", hint).textContent = zone.replaceAll("_", " ");
  if (!select.value) select.value = zone;
  select.addEventListener("change", updateHint);
  one("[data-use-zone]", hint).addEventListener("click", () => {
    select.value = zone;
    updateHint();
    select.focus();
  });
  updateHint();
}
