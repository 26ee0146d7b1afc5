// How much room the browser gives the app, and whether it may take it back.

const LOW = 50_000_000;

/**
 * Ask the browser to keep what is stored, and return what it says about the room.
 * @param {boolean} isFull Whether a write failed for want of space, whatever the browser says.
 * @param {StorageManager} [storage]
 * @returns {Promise<import("../scripts/types.js").SpaceReport>}
 */
export async function checkSpace(isFull, storage = navigator.storage) {
  const persistent = (await storage.persisted()) || (await storage.persist());
  const { quota, usage } = await storage.estimate();
  const freeBytes = quota === undefined || usage === undefined ? null : quota - usage;
  return { persistent, freeBytes, low: isFull || (freeBytes !== null && freeBytes < LOW) };
}
