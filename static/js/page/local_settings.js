/** A person's settings in this browser. They are kept after signing out. Drafts and answers are never among them. */

/** @type {Map<string, unknown>} */
const inMemory = new Map();

/** Return the value stored under a name, or null. @param {string} name @returns {any} */
export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") ?? inMemory.get(name) ?? null;
  } catch {
    return inMemory.get(name) ?? null;
  }
}

/** @param {string} name @param {unknown} value */
export function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    inMemory.delete(name);
  } catch {
    inMemory.set(name, value);
  }
}
