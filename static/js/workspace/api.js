/** Requests to the JSON API, and the three ways in which they go wrong. */

const page = document.body.dataset;
const PATIENCE_MS = 20_000;

/** The server answered and refused: `status`, `code`, `detail`. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    Object.assign(this, { status, code: problem.code ?? "", fields: problem.fields ?? {} });
  }
}

/** No answer came, or the server is in trouble: worth trying again. */
export class Unreachable extends Error {}

/** The session is gone, or belongs to somebody who must act first. */
export class SignedOut extends Error {}

/** How far the server's clock is ahead of ours, in milliseconds. */
export let clockAheadMs = 0;

/** The address of `verb` (submit, draft, skip, renew) for one assignment. */
export function addressOf(verb, assignmentId) {
  return page[`url${verb[0].toUpperCase()}${verb.slice(1)}`].replace("/0/", `/${assignmentId}/`);
}

/** Sends JSON and answers the body's object, with `created` for a 201, or null. */
export async function send(method, address, body = undefined, { keepalive = false } = {}) {
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), PATIENCE_MS);
  let response;
  let text;
  try {
    response = await fetch(address, {
      method,
      keepalive,
      credentials: "same-origin",
      redirect: "manual",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: impatience.signal,
    });
    text = await response.text();
  } catch (error) {
    throw new Unreachable(error.message);
  } finally {
    clearTimeout(timer);
  }
  noteClock(response);
  if (response.ok) return text ? { ...JSON.parse(text), created: response.status === 201 } : null;
  throw problemOf(response, text);
}

function problemOf(response, text) {
  if (response.status >= 500 || response.status === 429 || response.status === 408) return new Unreachable(text);
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // Not ours: a proxy's page, say.
  }
  const { status } = response;
  const notSignedIn = status === 401 || status === 0 || problem.code === "password_change_required";
  if (notSignedIn || (status === 403 && /CSRF/.test(problem.detail ?? ""))) return new SignedOut(problem.detail);
  return new Refused(status, problem);
}

/** From the cookie, which a sign-in in another tab renews; else as the page was given it. */
function csrfToken() {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? page.csrf;
}

function noteClock(response) {
  const theirs = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isFinite(theirs) && Math.abs(theirs - Date.now()) > 5000) clockAheadMs = theirs - Date.now();
}
