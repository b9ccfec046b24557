/** Entries of the outbox: answers, skips and reports, which end their pair, and changes of answers. */

/**
 * @typedef {object} Entry a request that waits to be sent; it ends a pair or changes a submitted answer
 * @property {string} study
 * @property {number} assignment
 * @property {"submit" | "skip" | "report" | "revise"} verb
 * @property {string} address
 * @property {string} draftAddress
 * @property {any} body Api.Submission, Api.Skip, Api.Report or Api.Revision
 * @property {number} [order] its position in the queue, after it was stored
 * @property {boolean} [inMemory] whether it could not be stored
 */

/** Return whether an entry ends its pair. @param {Entry} entry */
export const ends = ({ verb }) => verb !== "revise";

/** @param {Entry} one @param {Entry} other */
export const isSame = (one, other) => one === other || (one.order !== undefined && one.order === other.order);

/**
 * Return whether a refused entry becomes a draft again: answers that can be submitted again, and a change of answers that the
 * server does not have. A refused skip is dropped.
 *
 * @param {Entry} entry
 * @param {Refused} refusal
 */
export const becomesDraftAgain = ({ verb }, refusal) =>
  verb === "submit" ? !refusal.isOver : verb === "revise" && refusal.code === "not_answered";
