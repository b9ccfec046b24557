/** Fetch a whole clip, or find out that it is too large. */

import { whenEither } from "../page/signals.js";

/** Larger clips are streamed. A page holds at most two pairs of clips of this size: 96 MB. */
const MOST_BYTES = 24 * 1024 * 1024;
/** A connection without a byte for this time is closed. */
const SILENCE_MS = 20_000;

export class AddressExpired extends Error {}
export class NotThere extends Error {}

/**
 * Return the clip as a Blob, or null if it is too large to hold in memory. Throws AddressExpired, NotThere, or another error if
 * the network or the server failed. `onPercent(n)` reports the progress; `priority` is that of `fetch`.
 *
 * @param {string} address
 * @param {{ signal: AbortSignal, priority: RequestPriority, onPercent: (percent: number) => void }} options
 * @returns {Promise<Blob | null>}
 */
export async function fetchClip(address, { signal, priority, onPercent }) {
  const silence = new AbortController();
  const given = whenEither(signal, silence.signal);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const restartTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    const response = await fetch(address, { credentials: "same-origin", signal: given, priority });
    restartTimer();
    throwUnlessOk(response);
    return await readWhole(response, { onBytes: restartTimer, onPercent });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} response */
function throwUnlessOk(response) {
  if (response.status === 410 || response.status === 403) throw new AddressExpired();
  if (response.status === 404) throw new NotThere();
  if (!response.ok) throw new Error(`The server responded with ${response.status}.`);
}

/**
 * @param {Response} response
 * @param {{ onBytes: () => void, onPercent: (percent: number) => void }} options
 */
async function readWhole(response, { onBytes, onPercent }) {
  const size = Number(response.headers.get("Content-Length"));
  const chunks = [];
  if (!response.body) throw new Error("The response has no body.");
  const reader = response.body.getReader();
  for (let got = 0, reported = 0; ; ) {
    if (Math.max(size, got) > MOST_BYTES) {
      await reader.cancel();
      return null;
    }
    const { done, value } = await reader.read();
    if (done) return new Blob(chunks, { type: "video/mp4" });
    onBytes();
    chunks.push(value);
    got += value.length;
    const percent = size ? Math.floor((100 * got) / size) : 0;
    if (percent >= reported + 10) onPercent((reported = percent));
  }
}
