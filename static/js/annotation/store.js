/**
 * One IndexedDB database a person, so that nobody's answers lie among somebody else's: unfinished answers, what waits
 * to be sent, and which tab works on which study. Never a video.
 */

const VERSION = 2;
const PATIENCE_MS = 4000;

/** @typedef {"drafts" | "submissions" | "desks"} Table */
/** @typedef {(table: Table) => IDBObjectStore} TableOf */

/** @type {Record<Table, IDBObjectStoreParameters>} */
const LAYOUT = {
  drafts: { keyPath: ["study", "assignment"] },
  submissions: { keyPath: "order", autoIncrement: true }, // in the order in which they were made
  desks: { keyPath: "study" },
};

/** @type {readonly Table[]} */
export const TABLES = ["drafts", "submissions", "desks"];

/**
 * The database of a person. Raises where the browser keeps none: some private windows, a full disk.
 *
 * @param {string} person
 */
export async function openStore(person) {
  const request = indexedDB.open(`diptych-${person}`, VERSION);
  request.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) for (const name of TABLES) request.result.createObjectStore(name, LAYOUT[name]);
    const submissions = request.transaction?.objectStore("submissions");
    if (oldVersion === 1) submissions?.deleteIndex("assignment");
    submissions?.createIndex("ends", ["study", "ends"], { unique: true }); // a change of an answer does not end its pair
  };
  const late = new Promise((/** @type {(database: never) => void} */ _, reject) => {
    setTimeout(() => reject(new Error("the browser's database did not open")), PATIENCE_MS);
  });
  const database = await Promise.race([result(request), late]);
  database.onversionchange = () => database.close();
  return new Store(database);
}

/**
 * What a request of IndexedDB gives.
 *
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Store {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * Runs `work(table)` in one transaction that it begins before it returns, and answers its result once that is
   * committed. `work` may await requests of this transaction only; what it raises undoes everything.
   *
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(table: TableOf) => T} work
   * @returns {Promise<Awaited<T>>}
   */
  run(mode, work) {
    const transaction = this.#database.transaction(TABLES, mode, { durability: "strict" });
    const committed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error("undone"));
    });
    committed.catch(() => {}); // told below
    const working = Promise.resolve(work((name) => transaction.objectStore(name)));
    return working.then(
      (answer) => committed.then(() => answer),
      (error) => {
        try {
          transaction.abort();
        } catch {
          // It has aborted itself.
        }
        throw error;
      },
    );
  }
}
