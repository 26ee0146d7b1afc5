// IndexedDB by promises: one database, its stores, and transactions that say when they are on disk.

import { StorageFailed } from "../scripts/errors.js";
import { joinSpare, recordChanges, repeatChanges, writeAlone } from "./spare.js";

const NAME = "daftar";
const VERSION = 1;

/** Values of the device under a name: keys, token, bundle, officers, counters. */
export const VALUES = "values";
/** Captures by their id. */
export const CAPTURES = "captures";
/** Keyed hashes of the NIKs of captures, by capture id. */
export const NIKS = "niks";

/**
 * Open the database with its spare. Raise StorageFailed where the browser keeps none.
 * @returns {Promise<IDBDatabase>}
 */
export async function openDatabase() {
  const database = await open(indexedDB);
  await joinSpare(database, open, VALUES);
  return database;
}

/**
 * Open a database, and create its stores the first time.
 * @param {IDBFactory} factory
 * @returns {Promise<IDBDatabase>}
 */
function open(factory) {
  return new Promise((resolve, reject) => {
    /** @type {IDBOpenDBRequest} */
    let request;
    try {
      request = factory.open(NAME, VERSION);
    } catch (error) {
      reject(toStorageFailed(error));
      return;
    }
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore(VALUES);
      database.createObjectStore(CAPTURES, { keyPath: "captureId" }).createIndex("state", "state");
      database.createObjectStore(NIKS, { keyPath: "captureId" }).createIndex("hash", "hash");
    };
    request.onerror = () => reject(toStorageFailed(request.error));
    request.onsuccess = () => {
      // A newer release in another tab may change the stores: it must not wait for this tab.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

/**
 * Run `work` in one transaction, and return its result once the transaction is complete; for a write: once
 * the browser has flushed it to disk. `work` may await requests of this transaction and nothing else: at any
 * other await the browser ends the transaction. If `work` raises, nothing of it is stored.
 * @template Result
 * @param {IDBDatabase} database
 * @param {string[]} stores
 * @param {"readonly" | "readwrite"} mode
 * @param {(transaction: IDBTransaction) => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function transact(database, stores, mode, work) {
  if (mode === "readonly") return run(database, stores, mode, work, () => {});
  return writeAlone(async () => {
    /** @type {import("./spare.js").Change[]} */
    let changes = [];
    // Every write is counted, among the values.
    const all = stores.includes(VALUES) ? stores : [VALUES, ...stores];
    const result = await run(database, all, mode, work, (transaction) => {
      changes = recordChanges(transaction, all, VALUES);
    });
    await repeatChanges(database, changes);
    return result;
  });
}

/**
 * @template Result
 * @param {IDBDatabase} database
 * @param {string[]} stores
 * @param {"readonly" | "readwrite"} mode
 * @param {(transaction: IDBTransaction) => Promise<Result>} work
 * @param {(transaction: IDBTransaction) => void} prepare
 * @returns {Promise<Result>}
 */
async function run(database, stores, mode, work, prepare) {
  /** @type {IDBTransaction} */
  let transaction;
  try {
    transaction = database.transaction(stores, mode, { durability: mode === "readwrite" ? "strict" : "default" });
  } catch (error) {
    throw toStorageFailed(error);
  }
  /** @type {Promise<void>} */
  const completed = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(toStorageFailed(transaction.error));
  });
  completed.catch(() => {}); // It is awaited below, after `work`.
  /** @type {Result} */
  let result;
  try {
    prepare(transaction);
    result = await work(transaction);
  } catch (error) {
    abort(transaction);
    throw error instanceof DOMException ? toStorageFailed(error) : error;
  }
  await completed;
  return result;
}

/**
 * Return the result of a request.
 * @template Value
 * @param {IDBRequest<Value>} request
 * @returns {Promise<Value>}
 */
export function wait(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Return a value of the device, or undefined.
 * @param {IDBDatabase} database
 * @param {string} name
 * @returns {Promise<any>}
 */
export function readValue(database, name) {
  return transact(database, [VALUES], "readonly", (transaction) => wait(transaction.objectStore(VALUES).get(name)));
}

/**
 * Store a value of the device.
 * @param {IDBDatabase} database
 * @param {string} name
 * @param {any} value
 * @returns {Promise<void>}
 */
export function writeValue(database, name, value) {
  return transact(database, [VALUES], "readwrite", async (transaction) => {
    await wait(transaction.objectStore(VALUES).put(value, name));
  });
}

/** @param {IDBTransaction} transaction */
function abort(transaction) {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

/** @param {unknown} error */
function toStorageFailed(error) {
  const name = error instanceof DOMException ? error.name : "UnknownError";
  return new StorageFailed(name, name === "QuotaExceededError");
}
