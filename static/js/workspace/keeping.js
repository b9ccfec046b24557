/** What this browser keeps until the server has it: drafts and the answer being sent, a person and pair each. */

const person = document.body.dataset.person;
const PREFIX = `diptych:${person}:pair:`;
const LONGEST_MS = 30 * 24 * 3600 * 1000;

let works = true;

/** Whether anything can be kept at all: private windows and full disks refuse. */
export const keepingWorks = () => works;

/** The record kept for an assignment: `{draft, synced, submissionId, sending, at}`, or an empty object. */
export function kept(assignmentId) {
  return read(PREFIX + assignmentId) ?? {};
}

/** Merges `part` into the record. */
export function keep(assignmentId, part) {
  write(PREFIX + assignmentId, { ...kept(assignmentId), ...part, at: Date.now() });
}

export function forget(assignmentId) {
  try {
    localStorage.removeItem(PREFIX + assignmentId);
  } catch {
    works = false;
  }
}

/** Answers that were being sent when the page was left: `[assignmentId, body]`. Drops what is a month old. */
export function unsent() {
  const found = [];
  for (const name of names()) {
    const record = read(name) ?? {};
    const assignmentId = Number(name.slice(PREFIX.length));
    if (record.sending) found.push([assignmentId, record.sending]);
    else if (Date.now() - (record.at ?? 0) > LONGEST_MS) forget(assignmentId);
  }
  return found;
}

/** The id under which this pair is submitted, whatever is repeated or reloaded. */
export function submissionId(assignmentId) {
  const known = kept(assignmentId).submissionId;
  if (known) return known;
  const fresh = crypto.randomUUID?.() ?? madeUuid();
  keep(assignmentId, { submissionId: fresh });
  return fresh;
}

/** A random UUID for pages that are not served over HTTPS, where `randomUUID` is missing. */
function madeUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function names() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    works = false;
    return [];
  }
}

const fallback = new Map();

export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") ?? fallback.get(name) ?? null;
  } catch {
    works = false;
    return fallback.get(name) ?? null;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    fallback.delete(name);
    works = true;
  } catch {
    works = false;
    fallback.set(name, value);
  }
}
