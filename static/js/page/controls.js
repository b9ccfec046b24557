/** Which elements take which keys for themselves, as selectors. */

/** What Space, Enter or a letter operates. */
export const CONTROL = "a, button, input, select, textarea, summary, [role=tab]";

/** What people type into. */
export const TYPED_INTO = 'textarea, [contenteditable=""], [contenteditable="true"], ' +
  'input:not([type="radio"], [type="checkbox"], [type="range"], [type="button"], [type="submit"])';

/** What letters and digits belong to: they are typed into it, or choose from it. */
export const TEXT = `select, ${TYPED_INTO}`;
