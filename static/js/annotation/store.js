/**
 * One IndexedDB database for each person, so that answers of different people are never mixed. It stores unfinished answers,
 * entries that wait to be sent, and which tab works on which study. It never stores videos.
 */

const VERSION = 2;
const TIMEOUT_MS = 4000;

/** @typedef {"drafts" | "submissions" | "desks"} Table */
/** @typedef {(table: Table) => IDBObjectStore} TableOf */

/** @type {Record<Table, IDBObjectStoreParameters>} */
const LAYOUT = {
  drafts: { keyPath: ["study", "assignment"] },
  submissions: { keyPath: "order", autoIncrement: true }, // in the order of creation
  desks: { keyPath: "study" },
};

/** @type {readonly Table[]} */
export const TABLES = ["drafts", "submissions", "desks"];

/**
 * Open the database of a person. Throws an error if the browser stores nothing, as in some private windows or on a full disk.
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
    setTimeout(() => reject(new Error("the browser's database did not open")), TIMEOUT_MS);
  });
  const database = await Promise.race([result(request), late]);
  database.onversionchange = () => database.close();
  return new Store(database);
}

/**
 * Return the result of an IndexedDB request.
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
   * Run `work(table)` in one transaction, which begins immediately. Return its result after the transaction committed. `work` may
   * await requests of this transaction only. An error rolls the transaction back.
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
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was rolled back."));
    });
    committed.catch(() => {}); // the error is reported below
    const working = Promise.resolve(work((name) => transaction.objectStore(name)));
    return working.then(
      (value) => committed.then(() => value),
      (error) => {
        try {
          transaction.abort();
        } catch {
          // The transaction has aborted already.
        }
        throw error;
      },
    );
  }
}
