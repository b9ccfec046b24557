/** The pair that the person works on, for all modules of the workspace. Only pair_view.js and videos.js change it. */

/**
 * `assignment`: what the page shows, or null. `began`: the person has let it play. `busy`: the page waits for the server, and
 * takes nothing in.
 *
 * @type {{ assignment: Api.Assignment | null, began: boolean, busy: boolean }}
 */
export const current = { assignment: null, began: false, busy: false };
