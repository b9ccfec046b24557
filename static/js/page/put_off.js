/** Responses that ask the browser to send the request again a little later. */

/** Seconds. For a longer wait, the page says so and the person decides. */
const LONGEST_WAIT = 10;

/**
 * Return the seconds after which the same request may succeed; 0 if a retry does not help or the wait would be too long.
 *
 * @param {Response} response
 */
export function waitOf(response) {
  const wait = [429, 503].includes(response.status) ? Number(response.headers.get("Retry-After")) : 0;
  return wait <= LONGEST_WAIT ? wait : 0;
}
