/** Responses that put a request off for a moment. */

/** Seconds. Whoever must wait longer is told so by the page, and decides. */
const LONGEST_WAIT = 10;

/**
 * Seconds after which the same request may succeed; 0 if the server has decided, or wants a longer wait.
 *
 * @param {Response} response
 */
export function waitOf(response) {
  const wait = [429, 503].includes(response.status) ? Number(response.headers.get("Retry-After")) : 0;
  return wait <= LONGEST_WAIT ? wait : 0;
}
