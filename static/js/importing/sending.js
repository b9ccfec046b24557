/**
 * Send one file in pieces with tus 1.0. The server says how many bytes it has, and the next piece begins there.
 * After any error, the script asks the server again how many bytes have arrived.
 */

import { csrfToken } from "../page/csrf.js";
import { given, pause, say } from "../page/dom.js";

const person = given(document.body, "person");
const VERSION = "1.0.0";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const STALLED_MS = 60_000;

/** The server refuses this file, or the file can no longer be read. Trying again does not help. */
export class Refused extends Error {
  /** @param {string} sentence @param {string} [code] */
  constructor(sentence, code = "") {
    super(sentence);
    this.code = code;
  }
}

/** The person is no longer signed in, or someone else is. */
export class SignedOut extends Error {}

/** Sending was stopped on this page. */
export class Stopped extends Error {}

/** The server did not respond, or responded with an error that can pass. */
class Away extends Error {}

/**
 * Send the bytes of `file` that the server does not have. It calls `placed(address)` with the file's address, `moved(bytes)` with
 * the bytes sent so far, and `waits(bool)` when the server stops or starts responding. Raises Refused, SignedOut, and Stopped after `signal`.
 *
 * @typedef {object} Callbacks
 * @property {(address: string) => void} placed
 * @property {(bytes: number) => void} moved
 * @property {(isAway: boolean) => void} waits
 *
 * @param {File} file
 * @param {string} path
 * @param {{ collection: string, pieceBytes: number, signal: AbortSignal } & Callbacks} options
 */
export async function send(file, path, { collection, pieceBytes, signal, placed, moved, waits }) {
  let wait = FIRST_WAIT_MS;
  while (true) {
    try {
      const sending = { file, signal, placed, moved, arrived: () => { wait = FIRST_WAIT_MS; waits(false); } };
      await sendFrom(await announced(collection, path, sending), pieceBytes, sending);
      waits(false);
      return;
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      await mustBeReadable(file);
      waits(true);
      await pause(wait);
      if (signal.aborted) throw new Stopped();
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }
}

/**
 * @typedef {object} Sending
 * @property {File} file
 * @property {AbortSignal} signal
 * @property {(address: string) => void} placed
 * @property {(bytes: number) => void} moved
 * @property {() => void} arrived
 */

/**
 * Announce the file. Return its address and how many bytes have arrived. Announcing it again asks for the same.
 *
 * @param {string} collection
 * @param {string} path
 * @param {Sending} sending
 */
async function announced(collection, path, { file, signal, placed, moved }) {
  const headers = { "Upload-Length": String(file.size), "Upload-Metadata": `relativePath ${base64(path)}` };
  const answer = await ask("POST", collection, { headers, signal });
  const address = answer.getResponseHeader("Location");
  if (!address) throw new Away();
  const offset = Number(answer.getResponseHeader("Upload-Offset"));
  placed(address);
  moved(offset);
  return { address, offset };
}

/** @param {{ address: string, offset: number }} place @param {number} pieceBytes @param {Sending} sending */
async function sendFrom({ address, offset: first }, pieceBytes, { file, signal, moved, arrived }) {
  const progress = (/** @type {number} */ from) => (/** @type {number} */ bytes) => moved(from + bytes);
  let start = first;
  while (start < file.size) {
    const answer = await ask("PATCH", address, {
      headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(start) },
      body: file.slice(start, start + pieceBytes),
      onProgress: progress(start),
      signal,
    });
    const offset = Number(answer.getResponseHeader("Upload-Offset"));
    if (offset === start) throw new Away();
    arrived();
    moved(offset);
    start = offset;
  }
}

/** Remove a file from the import. @param {string} address */
export const remove = (address) => ask("DELETE", address);

/**
 * Send one request. It uses XMLHttpRequest, because `fetch` does not report the progress of a body.
 *
 * @typedef {object} Options
 * @property {Record<string, string>} [headers]
 * @property {Blob | null} [body]
 * @property {((bytes: number) => void) | null} [onProgress]
 * @property {AbortSignal | null} [signal]
 *
 * @param {string} method
 * @param {string} address
 * @param {Options} [options]
 * @returns {Promise<XMLHttpRequest>}
 */
function ask(method, address, { headers = {}, body = null, onProgress = null, signal = null } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) { reject(new Stopped()); return; }
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const stalled = watchdog(STALLED_MS, abort);
    request.open(method, address);
    const ours = { "Tus-Resumable": VERSION, "X-CSRFToken": csrfToken(), "X-Diptych-Person": person };
    for (const [name, value] of Object.entries({ ...ours, ...headers })) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded }) => { stalled.restart(); onProgress?.(loaded); });
    request.addEventListener("loadend", () => {
      stalled.stop();
      signal?.removeEventListener("abort", abort);
      const trouble = signal?.aborted ? new Stopped() : troubleOf(request);
      if (trouble) reject(trouble);
      else resolve(request);
    });
    signal?.addEventListener("abort", abort);
    request.send(body);
  });
}

/** Return the error of a response, or null for success. @param {XMLHttpRequest} request */
function troubleOf(request) {
  const { status } = request;
  if (status >= 200 && status < 300) return null;
  const problem = problemIn(request.responseText);
  if (status === 401 || problem.code === "somebody_else" || (status === 403 && /CSRF/.test(problem.detail))) return new SignedOut();
  const passes = status < 400 || status === 408 || status === 429 || (status >= 500 && status !== 507) || problem.code === "offset";
  return passes ? new Away() : new Refused(problem.detail, problem.code);
}

/** @param {string} text @returns {{ detail: string, code?: string }} */
function problemIn(text) {
  try {
    return { detail: text, ...JSON.parse(text) };
  } catch {
    return { detail: text.slice(0, 200) }; // not from this server, for example a proxy's page
  }
}

/**
 * Raise Refused for a file that was changed or moved after it was chosen: the browser can no longer open it.
 *
 * @param {File} file
 */
async function mustBeReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refused(say("changed"));
  }
}

/** Call `run` if `restart` was not called for `ms`. @param {number} ms @param {() => void} run */
function watchdog(ms, run) {
  let timer = setTimeout(run, ms);
  return {
    restart: () => { clearTimeout(timer); timer = setTimeout(run, ms); },
    stop: () => clearTimeout(timer),
  };
}

/** @param {string} text */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
