/**
 * The line in which clips of all pairs wait to be loaded: one at a time, those of the pair in sight first, and none
 * begins in a tab that nobody sees.
 */

/** @type {{ load: () => Promise<void>, inSight: () => boolean }[]} */
const waiting = [];
let busy = false;

/**
 * Runs `load()` when its turn comes; `inSight()` says whether it is for the pair that the person looks at.
 *
 * @param {() => Promise<void>} load
 * @param {() => boolean} inSight
 */
export function inLine(load, inSight) {
  waiting.push({ load, inSight });
  turn();
}

async function turn() {
  if (busy || document.hidden || !waiting.length) return;
  const first = waiting.findIndex(({ inSight }) => inSight());
  const [{ load }] = waiting.splice(Math.max(0, first), 1);
  busy = true;
  try {
    await load();
  } finally {
    busy = false;
    turn();
  }
}

document.addEventListener("visibilitychange", turn);
