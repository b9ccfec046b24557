/** Requests to the JSON API, and the four ways in which they go wrong. */

import { csrfToken } from "../page/csrf.js";

const page = document.body.dataset;
const PATIENCE_MS = 20_000;
const PERSON = "X-Diptych-Person";

/** The server answered and refused: `status`, `code`, `detail`. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    Object.assign(this, { status, code: problem.code ?? "", fields: problem.fields ?? {} });
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

const witnesses = [];

/** `look(trouble, response)` after every request: the Trouble it met or null, and the response if one came. */
export const onOutcome = (look) => witnesses.push(look);

/** The address of `verb` (submit, draft, skip, renew) for one assignment. */
export function addressOf(verb, assignmentId) {
  return page[`url${verb[0].toUpperCase()}${verb.slice(1)}`].replace("/0/", `/${assignmentId}/`);
}

/** Sends JSON and answers the body's object, with `created` for a 201, or null. Raises Refused and Trouble. */
export async function send(method, address, body = undefined, { keepalive = false, person = page.person } = {}) {
  let response = null;
  let trouble = null;
  try {
    const got = await request(method, address, body, { keepalive, person });
    response = got.response;
    const problem = response.ok ? null : problemOf(response, got.text);
    if (isSomebodyElse(response, person)) throw problem instanceof SomebodyElse ? problem : new SomebodyElse();
    if (problem) throw problem;
    return got.text ? { ...parsed(got.text), created: response.status === 201 } : null;
  } catch (error) {
    if (error instanceof Trouble) trouble = error;
    throw error;
  } finally {
    for (const look of witnesses) look(trouble, response);
  }
}

/** The header lets the server refuse before it does anything under another sign-in. */
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
    throw new Unreachable(error.message);
  } finally {
    clearTimeout(timer);
  }
}

/** Raises Unreachable for what is not ours, such as the page of a network that asks for a sign-in of its own. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unreachable(error.message);
  }
}

function isSomebodyElse(response, person) {
  const signedIn = response.headers.get(PERSON);
  return signedIn !== null && signedIn !== person;
}

function problemOf(response, text) {
  const { status } = response;
  if (status >= 500 || status === 429 || status === 408) return new Unreachable(text);
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // Not ours: a proxy's page, say.
  }
  if (problem.code === "somebody_else") return new SomebodyElse(problem.detail);
  const notSignedIn = status === 401 || status === 0 || problem.code === "password_change_required";
  if (notSignedIn || (status === 403 && /CSRF/.test(problem.detail ?? ""))) return new SignedOut(problem.detail);
  return new Refused(status, problem);
}
