// What a device forgets, and when: at the end of a shift, at the start, and some time after a discard.

import { CAPTURES, wait } from "./database.js";
import { pruneNiks, putRecord } from "./niks.js";
import { isUndoable, wipe } from "./records.js";

/**
 * Delete the accepted captures of an officer.
 * @param {IDBTransaction} transaction
 * @param {string | null} officer
 */
export async function deleteAccepted(transaction, officer) {
  const captures = transaction.objectStore(CAPTURES);
  const accepted = await wait(captures.index("state").getAll("accepted"));
  for (const record of accepted.filter((each) => each.officer === officer)) await wait(captures.delete(record.captureId));
}

/**
 * Wipe what can be taken back no more, and the hashes of NIKs that are too old.
 * @param {IDBTransaction} transaction
 */
export async function forgetOld(transaction) {
  await finishDiscards(transaction, Infinity);
  await pruneNiks(transaction);
}

/**
 * Wipe the discarded records that can be taken back no more. A draft had no number: nothing of it stays.
 * @param {IDBTransaction} transaction
 * @param {number} latest
 */
export async function finishDiscards(transaction, latest) {
  const captures = transaction.objectStore(CAPTURES);
  for (const record of await wait(captures.index("state").getAll("discarded"))) {
    if (!isUndoable(record) || record.discardedAt > latest) continue;
    if (record.discardedFrom === "draft") await wait(captures.delete(record.captureId));
    else await putRecord(transaction, wipe(record));
  }
}
