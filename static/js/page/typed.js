/** Text that somebody typed or pasted into a field, in the form that the server accepts. */

/** Invisible control characters and unpaired surrogates, which pasted text may contain (see diptych/input.py). */
// oxlint-disable-next-line no-control-regex -- that is what it finds
const NOT_IN_TEXT = /[\0-\x08\x0e-\x1f\x7f]|\p{Surrogate}/gu;

/** @param {HTMLTextAreaElement} field */
export const typedInto = (field) => field.value.replace(NOT_IN_TEXT, "");
