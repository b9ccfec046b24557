/**
 * What tabs of one browser tell each other: who is signed in, that everything was wiped, and which of them works on a
 * study. The tab that was turned to last works; the others say so and offer to take the study back.
 */

import { madeUuid } from "./keeping.js";

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("diptych") : null;
const listeners = new Map();

/** This page, among all tabs. */
export const tab = madeUuid();

/** Tells all tabs, and this one. */
export function tell(kind, fields = {}) {
  channel?.postMessage({ kind, ...fields });
  listeners.get(kind)?.(fields);
}

/** `run(fields)` when another tab tells of `kind`: `desk`, `person` or `wiped`. */
export const onTold = (kind, run) => listeners.set(kind, run);

channel?.addEventListener("message", ({ data }) => listeners.get(data.kind)?.(data));
