/** Requests to the JSON API, and the four ways in which they go wrong. */

import { csrfToken } from "../page/csrf.js";
import { sentenceOf } from "../page/dom.js";

const page = document.body.dataset;
const PATIENCE_MS = 20_000;
const PERSON = "X-Diptych-Person";

/** The server answered and refused: `status`, `code`, `detail`. */
export class Refused extends Error {
  /** @param {number} status @param {Partial<Api.Problem>} problem */
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.code = problem.code ?? "";
  }

  /** Whether the pair was answered or skipped before: then nothing of what was typed can be sent any more. */
  get isOver() {
    return this.status === 409 && (this.code === "already_answered" || this.code === "skipped");
  }
}

/** What stands between page and server for now: worth trying again. */
export class Trouble extends Error {}

/** No answer came, or the server is in trouble itself. */
export class Unreachable extends Trouble {}

/** The session is gone, or belongs to somebody who must act first. */
export class SignedOut extends Trouble {}

/** This browser is signed in as somebody other than the page was made for; nothing was done in their name. */
export class SomebodyElse extends Trouble {}

/** @typedef {(trouble: Trouble | null, response: Response | null) => void} Witness */

/** @type {Witness[]} */
const witnesses = [];

/**
 * `look(trouble, response)` after every request: the Trouble it met or null, and the response if one came.
 *
 * @param {Witness} look
 */
export const onOutcome = (look) => witnesses.push(look);

/** @typedef {"submit" | "skip" | "report" | "draft" | "renew" | "care" | "revise" | "reopen"} Verb */

/** The address of a verb for one assignment. @param {Verb} verb @param {number} assignmentId */
export function addressOf(verb, assignmentId) {
  const address = page[`url${verb[0].toUpperCase()}${verb.slice(1)}`];
  if (address === undefined) throw new Error(`This page has no address for ${verb}.`);
  return address.replace("/0/", `/${assignmentId}/`);
}

/**
 * Sends JSON and returns the body's object, or null where there is none. Raises Refused and Trouble.
 *
 * @param {"GET" | "POST" | "PUT"} method
 * @param {string | undefined} address
 * @param {unknown} [body]
 * @param {{ keepalive?: boolean, person?: string }} [options]
 * @returns {Promise<any>}
 */
export async function send(method, address, body = undefined, { keepalive = false, person = page.person ?? "" } = {}) {
  if (!address) throw new Error("This page does not have the address that the request goes to.");
  let response = null;
  let trouble = null;
  try {
    const got = await request(method, address, body, { keepalive, person });
    response = got.response;
    const problem = response.ok ? null : problemOf(response, got.text);
    if (isSomebodyElse(response, person)) throw problem instanceof SomebodyElse ? problem : new SomebodyElse();
    if (problem) throw problem;
    if (!response.headers.has(PERSON)) throw new Unreachable("The response did not come from our server.");
    return got.text ? parsed(got.text) : null;
  } catch (error) {
    if (error instanceof Trouble) trouble = error;
    throw error;
  } finally {
    for (const look of witnesses) look(trouble, response);
  }
}

/**
 * The header lets the server refuse before it does anything under another sign-in.
 *
 * @param {string} method
 * @param {string} address
 * @param {unknown} body
 * @param {{ keepalive: boolean, person: string }} options
 */
async function request(method, address, body, { keepalive, person }) {
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), PATIENCE_MS);
  try {
    const response = await fetch(address, {
      method,
      keepalive,
      credentials: "same-origin",
      redirect: "manual",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), [PERSON]: person },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: impatience.signal,
    });
    return { response, text: await response.text() };
  } catch (error) {
    throw new Unreachable(sentenceOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Raises Unreachable for what is not JSON, such as the page of a network that asks for a sign-in of its own.
 *
 * @param {string} text
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unreachable(sentenceOf(error));
  }
}

/** @param {Response} response @param {string} person */
function isSomebodyElse(response, person) {
  const signedIn = response.headers.get(PERSON);
  return signedIn !== null && signedIn !== person;
}

/** @param {Response} response @param {string} text */
function problemOf(response, text) {
  const { status } = response;
  if (status >= 500 || status === 429 || status === 408) return new Unreachable(text);
  /** @type {Partial<Api.Problem>} */
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // Not ours: a proxy's page, say.
  }
  if (problem.code === "somebody_else") return new SomebodyElse(problem.detail);
  const notSignedIn = status === 401 || status === 0 || problem.code === "password_change_required";
  if (notSignedIn || (status === 403 && /CSRF/.test(problem.detail ?? ""))) return new SignedOut(problem.detail);
  return new Refused(status, problem);
}
