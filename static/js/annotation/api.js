/** Send requests to the JSON API. A request can fail in four ways, each with a class of its own. */

import { csrfToken } from "../page/csrf.js";
import { sentenceOf } from "../page/dom.js";

const page = document.body.dataset;
const TIMEOUT_MS = 20_000;
const PERSON = "X-Diptych-Person";

/** The server responded and refused the request, with `status`, `code` and a sentence. */
export class Refused extends Error {
  /** @param {number} status @param {Partial<Api.Problem>} problem */
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.code = problem.code ?? "";
  }

  /** Whether the pair was already answered or skipped. Its answers can then not be sent any more. */
  get isOver() {
    return this.status === 409 && (this.code === "already_answered" || this.code === "skipped");
  }
}

/** A problem between the page and the server that may pass. The request can be sent again. */
export class Trouble extends Error {}

/** No response came, or the server has a problem. */
export class Unreachable extends Trouble {}

/** The session has ended, or the person must change their password first. */
export class SignedOut extends Trouble {}

/** This browser is signed in as another person than the page belongs to. Nothing was done in that person's name. */
export class SomebodyElse extends Trouble {}

/** @typedef {(trouble: Trouble | null, response: Response | null) => void} OutcomeListener */

/** @type {OutcomeListener[]} */
const outcomeListeners = [];

/**
 * Call `listener(trouble, response)` after every request, with its Trouble or null, and with the response if one came.
 *
 * @param {OutcomeListener} listener
 */
export const onOutcome = (listener) => outcomeListeners.push(listener);

/** @typedef {"submit" | "skip" | "report" | "draft" | "renew" | "care" | "revise" | "reopen"} Verb */

/** Return the address of a verb for one assignment. @param {Verb} verb @param {number} assignmentId */
export function addressOf(verb, assignmentId) {
  const address = page[`url${verb[0].toUpperCase()}${verb.slice(1)}`];
  if (address === undefined) throw new Error(`This page has no address for ${verb}.`);
  return address.replace("/0/", `/${assignmentId}/`);
}

/**
 * Send JSON. Return the object of the response's body, or null if it is empty. Throws Refused or Trouble.
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
    for (const listener of outcomeListeners) listener(trouble, response);
  }
}

/**
 * Send one request. Its header names the person, so that the server refuses it under another sign-in.
 *
 * @param {string} method
 * @param {string} address
 * @param {unknown} body
 * @param {{ keepalive: boolean, person: string }} options
 */
async function request(method, address, body, { keepalive, person }) {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(address, {
      method,
      keepalive,
      credentials: "same-origin",
      redirect: "manual",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), [PERSON]: person },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: timeout.signal,
    });
    return { response, text: await response.text() };
  } catch (error) {
    throw new Unreachable(sentenceOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Return the parsed JSON. Throws Unreachable for anything else, such as the sign-in page of a public network.
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
    // Not a response of our server, but of a proxy for example.
  }
  if (problem.code === "somebody_else") return new SomebodyElse(problem.detail);
  const notSignedIn = status === 401 || status === 0 || problem.code === "password_change_required";
  if (notSignedIn || (status === 403 && /CSRF/.test(problem.detail ?? ""))) return new SignedOut(problem.detail);
  return new Refused(status, problem);
}
