/** Selectors of the elements that use certain keys themselves. */

/** Elements that Space, Enter or a letter operates. */
export const CONTROL = "a, button, input, select, textarea, summary, [role=tab]";

/** Elements that people type into. */
export const TYPED_INTO = 'textarea, [contenteditable=""], [contenteditable="true"], ' +
  'input:not([type="radio"], [type="checkbox"], [type="range"], [type="button"], [type="submit"])';

/** Elements that use letters and digits: people type into them, or choose an option by its first letter. */
export const TEXT = `select, ${TYPED_INTO}`;
