/** What somebody typed or pasted into a field, as the server takes it. */

/** Control characters and halves of characters. Programs leave them in what is pasted; nobody sees them (diptych/input.py). */
// oxlint-disable-next-line no-control-regex -- that is what it finds
const NOT_IN_TEXT = /[\0-\x08\x0e-\x1f\x7f]|\p{Surrogate}/gu;

/** @param {HTMLTextAreaElement} field */
export const typedInto = (field) => field.value.replace(NOT_IN_TEXT, "");
