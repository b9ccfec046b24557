/** Preselects the browser's time zone if none is stored. Otherwise shows a hint if the two differ. */

import { one } from "../page/dom.js";
import { browserZone } from "../page/times.js";

const select = one("select[name=time_zone]");
const hint = one("[data-own-zone]");
const zone = browserZone();
const options = [...select.options];
/** Return the browser's own name for a zone: browsers keep old names such as Asia/Calcutta. @param {string} name */
const named = (name) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return name; // the browser does not know it
  }
};
const option = options.find(({ value }) => value === zone) ?? options.find(({ value }) => value && named(value) === zone);

const updateHint = () => { hint.hidden = !option || select.value === option.value; };

if (option) {
  one("[data-own-zone-name]", hint).textContent = option.text;
  if (!select.value) select.value = option.value;
  select.addEventListener("change", updateHint);
  one("[data-use-zone]", hint).addEventListener("click", () => {
    select.value = option.value;
    updateHint();
    select.focus();
  });
  updateHint();
}
