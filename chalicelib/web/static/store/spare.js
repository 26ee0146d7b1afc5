// A second database with the same content. A browser that was killed while it wrote may find its database broken,
// and then throws all of it away: Chromium does so after about one kill of fifty in the middle of a write. The
// spare is in a storage bucket, whose files are its own, and is written when the first database is not.

const BUCKET = "daftar-spare";
/** Counts the writes of a database, to see which of the two is behind. */
const WRITES = "writes";
const LOCK = "daftar-store";

/** @typedef {{store: string, value: any, key: IDBValidKey | undefined, isDelete: boolean}} Change */

/** @type {WeakMap<IDBDatabase, IDBDatabase>} */
const spares = new WeakMap();

/**
 * Run a write while no other tab runs one: both databases get all writes in the same order.
 * @template Result
 * @param {() => Promise<Result>} write
 * @returns {Promise<Result>}
 */
export async function writeAlone(write) {
  return navigator.locks.request(LOCK, write);
}

/**
 * Note what a transaction changes, and count it.
 * @param {IDBTransaction} transaction
 * @param {string[]} stores
 * @param {string} counterStore
 * @returns {Change[]}
 */
export function recordChanges(transaction, stores, counterStore) {
  /** @type {Change[]} */
  const changes = [];
  for (const name of stores) {
    const store = transaction.objectStore(name);
    store.put = (value, key) => {
      changes.push({ store: name, value, key, isDelete: false });
      return IDBObjectStore.prototype.put.call(store, value, ...(key === undefined ? [] : [key]));
    };
    store.delete = (key) => {
      changes.push({ store: name, value: undefined, key: /** @type {IDBValidKey} */ (key), isDelete: true });
      return IDBObjectStore.prototype.delete.call(store, key);
    };
  }
  if (stores.includes(counterStore)) {
    const values = transaction.objectStore(counterStore);
    values.get(WRITES).onsuccess = (event) => {
      const { result } = /** @type {IDBRequest} */ (event.target);
      values.put((result ?? 0) + 1, WRITES);
    };
  }
  return changes;
}

/**
 * Make the same changes in the spare. If it takes them no more, it is left behind until the next start.
 * @param {IDBDatabase} database
 * @param {Change[]} changes
 */
export async function repeatChanges(database, changes) {
  const spare = spares.get(database);
  if (!spare || changes.length === 0) return;
  try {
    await write(spare, [...new Set(changes.map(({ store }) => store))], (transaction) => {
      for (const { store, value, key, isDelete } of changes) {
        const target = transaction.objectStore(store);
        if (isDelete) target.delete(/** @type {IDBValidKey} */ (key));
        else target.put(value, ...(key === undefined ? [] : [key]));
      }
    });
  } catch {
    spares.delete(database);
  }
}

/**
 * Open the spare of a database, and make the one that is behind like the other: the first one, unless the browser
 * threw it away. Without storage buckets there is no spare.
 * @param {IDBDatabase} database
 * @param {(factory: IDBFactory) => Promise<IDBDatabase>} open
 * @param {string} counterStore
 */
export async function joinSpare(database, open, counterStore) {
  const buckets = /** @type {any} */ (navigator).storageBuckets;
  if (!buckets) return;
  try {
    const bucket = await buckets.open(BUCKET, { durability: "strict", persisted: true });
    const spare = await open(bucket.indexedDB);
    await writeAlone(async () => {
      const [own, other] = await Promise.all([database, spare].map((each) => readWrites(each, counterStore)));
      if (own === 0 && other > 0) await copy(spare, database);
      else if (own !== other) await copy(database, spare);
    });
    spares.set(database, spare);
  } catch {
    // The app works without it.
  }
}

/**
 * @param {IDBDatabase} database
 * @param {string} counterStore
 * @returns {Promise<number>}
 */
async function readWrites(database, counterStore) {
  return (await finish(database.transaction(counterStore).objectStore(counterStore).get(WRITES))) ?? 0;
}

/**
 * Replace the content of a database by that of another one.
 * @param {IDBDatabase} source
 * @param {IDBDatabase} target
 */
async function copy(source, target) {
  const names = [...source.objectStoreNames];
  const reading = source.transaction(names);
  const contents = await Promise.all(
    names.map(async (name) => {
      const store = reading.objectStore(name);
      const [keys, values] = await Promise.all([finish(store.getAllKeys()), finish(store.getAll())]);
      return { name, keys, values };
    }),
  );
  await write(target, names, (transaction) => {
    for (const { name, keys, values } of contents) {
      const store = transaction.objectStore(name);
      store.clear();
      values.forEach((value, position) => store.put(value, ...(store.keyPath === null ? [keys[position]] : [])));
    }
  });
}

/**
 * @param {IDBDatabase} database
 * @param {string[]} stores
 * @param {(transaction: IDBTransaction) => void} work
 * @returns {Promise<void>}
 */
function write(database, stores, work) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    work(transaction);
  });
}

/**
 * @template Value
 * @param {IDBRequest<Value>} request
 * @returns {Promise<Value>}
 */
function finish(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
