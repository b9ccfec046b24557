/**
 * Messages between the tabs of one browser: who is signed in, that all data were deleted, and which tab works on a study. The
 * tab that was opened last works. The other tabs say so and offer to continue there.
 */

import { madeUuid } from "./uuid.js";

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("diptych") : null;

/** @typedef {"desk" | "person" | "wiped"} Kind */
/** @typedef {{ person?: string, name?: string, study?: string, tab?: string }} Fields */
/** @typedef {(fields: Fields) => void} Listener */

/** @type {Map<Kind, Listener>} */
const listeners = new Map();

/** Id of this tab. */
export const tab = madeUuid();

/** Send a message to all tabs, including this one. @param {Kind} kind @param {Fields} [fields] */
export function broadcast(kind, fields = {}) {
  channel?.postMessage({ kind, ...fields });
  listeners.get(kind)?.(fields);
}

/** Call `run(fields)` for each message of a kind. @param {Kind} kind @param {Listener} run */
export const onBroadcast = (kind, run) => listeners.set(kind, run);

channel?.addEventListener("message", ({ data }) => listeners.get(data.kind)?.(data));

/**
 * Wait until no other tab has the lock. Return a function that releases it. Without Web Locks, on a page that is not served over
 * HTTPS, two tabs may have it at the same time.
 *
 * @param {string} name
 * @returns {Promise<() => void>}
 */
export function lock(name) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((locked, failed) => {
    const whileLocked = () => new Promise((/** @type {(nothing: void) => void} */ release) => locked(release));
    navigator.locks.request(name, whileLocked).catch(failed);
  });
}
