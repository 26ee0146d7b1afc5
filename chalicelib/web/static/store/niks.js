// The keyed hashes of the NIKs of this device's captures, by which a worker is recognised who comes twice.

import { CAPTURES, NIKS, transact, wait } from "./database.js";

/** @typedef {import("./records.js").CaptureRecord} CaptureRecord */

/** How long a hash is kept after its capture has left the list. */
const DAYS = 60;
const DAY = 86_400_000;

/**
 * Store a record. A discarded one leaves nothing of the worker on the device: also the NIK's hash goes.
 * @param {IDBTransaction} transaction
 * @param {CaptureRecord} record
 */
export async function putRecord(transaction, record) {
  await wait(transaction.objectStore(CAPTURES).put(record));
  if (record.state === "discarded") await wait(transaction.objectStore(NIKS).delete(record.captureId));
}

/**
 * Keep the hash of the NIK of a capture.
 * @param {IDBTransaction} transaction
 * @param {CaptureRecord} record
 * @param {string} hash
 */
export async function putNik(transaction, { captureId, capturedAt }, hash) {
  await wait(transaction.objectStore(NIKS).put({ captureId, hash, capturedAt }));
}

/**
 * Return the newest capture with this hash, or null.
 * @param {IDBDatabase} database
 * @param {string} hash
 * @returns {Promise<import("../scripts/types.js").HeldNik | null>}
 */
export function findNik(database, hash) {
  return transact(database, [CAPTURES, NIKS], "readonly", async (transaction) => {
    const rows = await wait(transaction.objectStore(NIKS).index("hash").getAll(hash));
    const newest = rows.sort((one, other) => (one.capturedAt < other.capturedAt ? 1 : -1))[0];
    if (!newest) return null;
    const record = await wait(transaction.objectStore(CAPTURES).get(newest.captureId));
    return {
      captureId: newest.captureId,
      capturedAt: newest.capturedAt,
      state: record?.state ?? "accepted",
      reference: record?.reference ?? null,
    };
  });
}

/**
 * Delete the hashes of NIKs that are too old, and those of discarded captures, which an earlier release left.
 * @param {IDBTransaction} transaction
 */
export async function pruneNiks(transaction) {
  const niks = transaction.objectStore(NIKS);
  const discarded = new Set(await wait(transaction.objectStore(CAPTURES).index("state").getAllKeys("discarded")));
  const oldest = new Date(Date.now() - DAYS * DAY).toISOString();
  for (const { captureId, capturedAt } of await wait(niks.getAll())) {
    if (capturedAt < oldest || discarded.has(captureId)) await wait(niks.delete(captureId));
  }
}
