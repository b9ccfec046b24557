/**
 * Queue in which the clips of all pairs wait to be loaded. One clip loads at a time. Those of the visible pair come first. In a
 * hidden tab no clip begins to load.
 */

/** @type {{ load: () => Promise<void>, inSight: () => boolean }[]} */
const waiting = [];
let busy = false;

/**
 * Call `load()` when its turn comes. `inSight()` returns whether it is for the visible pair.
 *
 * @param {() => Promise<void>} load
 * @param {() => boolean} inSight
 */
export function enqueueLoad(load, inSight) {
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
