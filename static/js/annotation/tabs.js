/**
 * What tabs of one browser tell each other: who is signed in, that everything was wiped, and which of them works on a
 * study. The tab that was turned to last works; the others say so and offer to take the study back.
 */

import { madeUuid } from "./uuid.js";

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("diptych") : null;

/** @typedef {"desk" | "person" | "wiped"} Kind */
/** @typedef {{ person?: string, name?: string, study?: string, tab?: string }} Fields */
/** @typedef {(fields: Fields) => void} Listener */

/** @type {Map<Kind, Listener>} */
const listeners = new Map();

/** This page, among all tabs. */
export const tab = madeUuid();

/** Tells all tabs, and this one. @param {Kind} kind @param {Fields} [fields] */
export function tell(kind, fields = {}) {
  channel?.postMessage({ kind, ...fields });
  listeners.get(kind)?.(fields);
}

/** `run(fields)` when any tab tells of `kind`. @param {Kind} kind @param {Listener} run */
export const onTold = (kind, run) => listeners.set(kind, run);

channel?.addEventListener("message", ({ data }) => listeners.get(data.kind)?.(data));

/**
 * Waits until no other tab has the lock. Return a function that gives it back. Without Web Locks (a page not served over HTTPS)
 * two tabs may have it at once.
 *
 * @param {string} name
 * @returns {Promise<() => void>}
 */
export function lock(name) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((locked, failed) => {
    const held = () => new Promise((/** @type {(nothing: void) => void} */ release) => locked(release));
    navigator.locks.request(name, held).catch(failed);
  });
}
