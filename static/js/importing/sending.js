/**
 * Sends one file in pieces, as tus 1.0 has it: the server says how many bytes it holds, and the next piece begins there.
 * Whatever goes wrong on the way is met by asking again where the file stands.
 */

import { csrfToken } from "../page/csrf.js";
import { given, pause, say } from "../page/dom.js";

const person = given(document.body, "person");
const VERSION = "1.0.0";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const STALLED_MS = 60_000;

/** The server answered and will not take this file, or the file can no longer be read here: trying again changes nothing. */
export class Refused extends Error {
  /** @param {string} sentence @param {string} [code] */
  constructor(sentence, code = "") {
    super(sentence);
    this.code = code;
  }
}

/** Nobody is signed in any more, or somebody else is. */
export class SignedOut extends Error {}

/** Sending was stopped from here. */
export class Stopped extends Error {}

/** No answer, or one that may be another in a moment. */
class Away extends Error {}

/**
 * Sends what the server does not have of `file`. `placed(address)` is told where it goes, `moved(bytes)` how far it is, bytes under way
 * included, `waits(bool)` whether the server is away. Raises Refused, SignedOut, and Stopped once `signal` is.
 *
 * @typedef {object} Told
 * @property {(address: string) => void} placed
 * @property {(bytes: number) => void} moved
 * @property {(isAway: boolean) => void} waits
 *
 * @param {File} file
 * @param {string} path
 * @param {{ collection: string, pieceBytes: number, signal: AbortSignal } & Told} options
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
 * The file's address and how much of it is there; announcing it again is how to ask.
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

/** Takes a file out of the import. @param {string} address */
export const remove = (address) => ask("DELETE", address);

/**
 * One request; with an XMLHttpRequest, for `fetch` does not tell how far a body has come.
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
    const impatience = stopwatch(STALLED_MS, abort);
    request.open(method, address);
    const ours = { "Tus-Resumable": VERSION, "X-CSRFToken": csrfToken(), "X-Diptych-Person": person };
    for (const [name, value] of Object.entries({ ...ours, ...headers })) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded }) => { impatience.again(); onProgress?.(loaded); });
    request.addEventListener("loadend", () => {
      impatience.stop();
      signal?.removeEventListener("abort", abort);
      const trouble = signal?.aborted ? new Stopped() : troubleOf(request);
      if (trouble) reject(trouble);
      else resolve(request);
    });
    signal?.addEventListener("abort", abort);
    request.send(body);
  });
}

/** What keeps a response from being what was asked for, or null. @param {XMLHttpRequest} request */
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
    return { detail: text.slice(0, 200) }; // not ours: a proxy's page, say
  }
}

/**
 * Raises Refused for a file that was changed or moved since it was chosen: the browser no longer opens it.
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

/** Calls `run` when nothing has happened for `ms`. @param {number} ms @param {() => void} run */
function stopwatch(ms, run) {
  let timer = setTimeout(run, ms);
  return {
    again: () => { clearTimeout(timer); timer = setTimeout(run, ms); },
    stop: () => clearTimeout(timer),
  };
}

/** @param {string} text */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
