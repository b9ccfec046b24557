/** Fetches one clip whole, or finds that it is too large for that. */

import { whenEither } from "../page/signals.js";

/** Larger clips stream. Two pairs of clips of this size are the 96 MB that a page holds at most. */
const MOST_BYTES = 24 * 1024 * 1024;
/** Without a byte for so long, a connection is given up. */
const SILENCE_MS = 20_000;

export class AddressExpired extends Error {}
export class NotThere extends Error {}

/**
 * The clip as a Blob, or null where it is too large to hold. Raises AddressExpired, NotThere, or another error where
 * the network or the server failed. `onPercent(n)` tells how far it is; `priority` as for `fetch`.
 *
 * @param {string} address
 * @param {{ signal: AbortSignal, priority: RequestPriority, onPercent: (percent: number) => void }} options
 * @returns {Promise<Blob | null>}
 */
export async function fetchClip(address, { signal, priority, onPercent }) {
  const silence = new AbortController();
  const given = whenEither(signal, silence.signal);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    const response = await fetch(address, { credentials: "same-origin", signal: given, priority });
    heard();
    refuse(response);
    return await readWhole(response, { heard, onPercent });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} response */
function refuse(response) {
  if (response.status === 410 || response.status === 403) throw new AddressExpired();
  if (response.status === 404) throw new NotThere();
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
}

/**
 * @param {Response} response
 * @param {{ heard: () => void, onPercent: (percent: number) => void }} options
 */
async function readWhole(response, { heard, onPercent }) {
  const size = Number(response.headers.get("Content-Length"));
  const chunks = [];
  if (!response.body) throw new Error("The response has no body.");
  const reader = response.body.getReader();
  for (let got = 0, told = 0; ; ) {
    if (Math.max(size, got) > MOST_BYTES) {
      await reader.cancel();
      return null;
    }
    const { done, value } = await reader.read();
    if (done) return new Blob(chunks, { type: "video/mp4" });
    heard();
    chunks.push(value);
    got += value.length;
    const percent = size ? Math.floor((100 * got) / size) : 0;
    if (percent >= told + 10) onPercent((told = percent));
  }
}
