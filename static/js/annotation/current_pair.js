/** The pair that the person works on, for all modules of the workspace. Only pair_view.js and videos.js change it. */

/**
 * `assignment` is the pair on the page, or null. `began`: the person has played it. `busy`: the page waits for the server and
 * accepts no input.
 *
 * @type {{ assignment: Api.Assignment | null, began: boolean, busy: boolean }}
 */
export const current = { assignment: null, began: false, busy: false };
