/** What waits in the outbox to be sent: answers, skips and reports, which end their pair, and changes of answers. */

/**
 * @typedef {object} Entry what ends a pair, or changes a submitted answer, waiting to be sent
 * @property {string} study
 * @property {number} assignment
 * @property {"submit" | "skip" | "report" | "revise"} verb
 * @property {string} address
 * @property {string} draftAddress
 * @property {any} body Api.Submission, Api.Skip, Api.Report or Api.Revision
 * @property {number} [order] its place in the line, once it is stored
 * @property {boolean} [inMemory] whether it could not be stored
 */

/** Whether an entry ends its pair. @param {Entry} entry */
export const ends = ({ verb }) => verb !== "revise";

/** @param {Entry} one @param {Entry} other */
export const isSame = (one, other) => one === other || (one.order !== undefined && one.order === other.order);

/**
 * Whether what was refused becomes a draft again: answers that can be submitted again, and a change of answers that the server
 * does not have. A skip that is refused is simply not done.
 *
 * @param {Entry} entry
 * @param {Refused} refusal
 */
export const canBeMended = ({ verb }, refusal) =>
  verb === "submit" ? !refusal.isOver : verb === "revise" && refusal.code === "not_answered";
