/** Times in words of the page's language: “3 hr 20 min”, “35 sec”. */

/** @param {"hour" | "minute" | "second"} name */
const unit = (name) =>
  new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: name, unitDisplay: "short" });
const hours = unit("hour");
const minutes = unit("minute");
const seconds = unit("second");

/** Whole seconds below a minute and a half, then minutes, then hours and minutes. @param {number} time_s */
export function spell(time_s) {
  const whole = Math.max(0, Math.round(time_s));
  if (whole < 90) return seconds.format(whole);
  const all = Math.round(whole / 60);
  if (all < 60) return minutes.format(all);
  const [h, m] = [Math.floor(all / 60), all % 60];
  return m ? `${hours.format(h)} ${minutes.format(m)}` : hours.format(h);
}
