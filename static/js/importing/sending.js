/**
 * Sends one file in pieces, as tus 1.0 has it: the server says how many bytes it holds, and the next piece begins there.
 * Whatever goes wrong on the way is met by asking again where the file stands.
 */

import { csrfToken } from "../page/csrf.js";
import { pause, say } from "../page/dom.js";

const VERSION = "1.0.0";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const STALLED_MS = 60_000;

/** The server answered and will not take this file, or the file can no longer be read here: trying again changes nothing. */
export class Refused extends Error {
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

/** The file's address and how much of it is there; announcing it again is how to ask. */
async function announced(collection, path, { file, signal, placed, moved }) {
  const headers = { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${base64(path)}` };
  const answer = await ask("POST", collection, { headers, signal });
  const address = answer.getResponseHeader("Location");
  const offset = Number(answer.getResponseHeader("Upload-Offset"));
  placed(address);
  moved(offset);
  return { address, offset };
}

async function sendFrom({ address, offset }, pieceBytes, { file, signal, moved, arrived }) {
  while (offset < file.size) {
    const start = offset;
    const answer = await ask("PATCH", address, {
      headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(start) },
      body: file.slice(start, start + pieceBytes),
      onProgress: (bytes) => moved(start + bytes),
      signal,
    });
    offset = Number(answer.getResponseHeader("Upload-Offset"));
    if (offset === start) throw new Away();
    arrived();
    moved(offset);
  }
}

/** Takes a file out of the import. */
export const remove = (address) => ask("DELETE", address);

/** One request; with an XMLHttpRequest, for `fetch` does not tell how far a body has come. */
function ask(method, address, { headers = {}, body = null, onProgress = null, signal = null } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) { reject(new Stopped()); return; }
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const impatience = stopwatch(STALLED_MS, abort);
    request.open(method, address);
    const ours = { "Tus-Resumable": VERSION, "X-CSRFToken": csrfToken(), "X-Diptych-Person": document.body.dataset.person };
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

/** What keeps an answer from being what was asked for, or null. */
function troubleOf(request) {
  const { status } = request;
  if (status >= 200 && status < 300) return null;
  const problem = problemIn(request.responseText);
  if (status === 401 || problem.code === "somebody_else" || (status === 403 && /CSRF/.test(problem.detail))) return new SignedOut();
  const passes = status < 400 || status === 408 || status === 429 || (status >= 500 && status !== 507) || problem.code === "offset";
  return passes ? new Away() : new Refused(problem.detail, problem.code);
}

function problemIn(text) {
  try {
    return { detail: text, ...JSON.parse(text) };
  } catch {
    return { detail: text.slice(0, 200) }; // not ours: a proxy's page, say
  }
}

/** Raises Refused for a file that was changed or moved since it was chosen: the browser no longer opens it. */
async function mustBeReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refused(say("changed"));
  }
}

/** Calls `run` when nothing has happened for `ms`. */
function stopwatch(ms, run) {
  let timer = setTimeout(run, ms);
  return {
    again: () => { clearTimeout(timer); timer = setTimeout(run, ms); },
    stop: () => clearTimeout(timer),
  };
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
