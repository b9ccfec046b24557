/** Helpers for abort signals. */

/**
 * Return a signal that aborts as soon as one of the two does. Browsers of 2023 do not have `AbortSignal.any`.
 *
 * @param {AbortSignal} one
 * @param {AbortSignal} other
 */
export function whenEither(one, other) {
  const either = new AbortController();
  for (const signal of [one, other]) {
    const abort = () => either.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { signal: either.signal });
  }
  return either.signal;
}
