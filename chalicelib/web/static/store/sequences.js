// The numbers of a device's captures: without gaps, and none twice.

import { VALUES, transact, wait } from "./database.js";

/**
 * Return the next number of a device's captures, and take it. In the transaction that stores the capture, so
 * that neither a crash nor another tab can leave a number out, or give one twice.
 * @param {IDBTransaction} transaction
 * @param {string} clientId
 * @returns {Promise<number>}
 */
export async function takeSequence(transaction, clientId) {
  const values = transaction.objectStore(VALUES);
  const sequence = (await wait(values.get(name(clientId)))) ?? 1;
  await wait(values.put(sequence + 1, name(clientId)));
  return sequence;
}

/**
 * Note outside the database which number was given last. A browser may lose a database: the numbers then go
 * on, and the server's report of gaps shows how many captures were lost, instead of nothing.
 * @param {string} clientId
 * @param {number} sequence
 */
export function noteSequence(clientId, sequence) {
  try {
    if (sequence > readNote(clientId)) localStorage.setItem(name(clientId), String(sequence));
  } catch {
    // There is none: the database is all that this browser has.
  }
}

/**
 * Have a device's captures numbered from `next` at least, and after the last one that was given here: an
 * earlier database of it was cleared or lost.
 * @param {IDBDatabase} database
 * @param {string} clientId
 * @param {number} next
 */
export async function raiseSequence(database, clientId, next) {
  await transact(database, [VALUES], "readwrite", async (transaction) => {
    const values = transaction.objectStore(VALUES);
    const stored = (await wait(values.get(name(clientId)))) ?? 1;
    await wait(values.put(Math.max(stored, next, readNote(clientId) + 1), name(clientId)));
  });
}

/** @param {string} clientId */
function readNote(clientId) {
  try {
    return Number(localStorage.getItem(name(clientId)) ?? 0);
  } catch {
    return 0;
  }
}

/** @param {string} clientId */
function name(clientId) {
  return `sequence ${clientId}`;
}
