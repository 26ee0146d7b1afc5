// The captures of this device, from the first letter typed to the server's verdict.

import { CaptureKnown, NotMendable, NotReadable, ShiftNeeded, StorageFailed } from "../scripts/errors.js";
import { makeCaptureId } from "./capture-ids.js";
import { CAPTURES, NIKS, VALUES, transact, wait } from "./database.js";
import { deleteAccepted, finishDiscards, forgetOld } from "./forgetting.js";
import { findNik, putNik, putRecord } from "./niks.js";
import { UNDO_TIME, beginRecord, compareAge, discardRecord, isDiscardable, isMendable, isUndoable, needsNewId, summarise, takeBackRecord, wipe } from "./records.js";
import { noteSequence, takeSequence } from "./sequences.js";

/** @typedef {import("./records.js").CaptureRecord} CaptureRecord */
/** @typedef {import("../scripts/types.js").CaptureContent} CaptureContent */
/** @typedef {import("../scripts/types.js").CaptureSummary} CaptureSummary */

/** @type {import("../scripts/types.js").CaptureState[]} */
const STATES = ["draft", "waiting", "sending", "accepted", "needs_fix", "discarded"];

/**
 * Where and by whom captures are made now.
 * @typedef {{clientId: string, campaignId: string, officer: string | null, isUnattended: boolean, isSelf?: boolean}} Origin
 */

/**
 * The outbox: whatever it has said is saved has been read back from the disk. Events, also for what other tabs
 * did: `change`, and `due` when there is something new to send.
 */
export class Outbox extends EventTarget {
  /**
   * @param {IDBDatabase} database
   * @param {import("./vault.js").Vault} vault
   * @param {() => Origin | null} getOrigin Return where captures are made, or null while nobody is on shift.
   * @param {import("./tabs.js").Tabs} tabs
   */
  constructor(database, vault, getOrigin, tabs) {
    super();
    this.database = database;
    this.vault = vault;
    this.getOrigin = getOrigin;
    this.tabs = tabs;
    /** Whether the last write failed for want of space. */
    this.isFull = false;
    for (const [kind, event] of [["captures", "change"], ["due", "due"]]) {
      tabs.addEventListener(kind, () => this.dispatchEvent(new Event(event)));
    }
  }

  /** Return the id of a capture that begins now. */
  newCaptureId() {
    return makeCaptureId();
  }

  /**
   * Store an unfinished form, encrypted, over the earlier one.
   * @param {string} captureId
   * @param {Object} fields
   */
  async saveDraft(captureId, fields) {
    const origin = this.#requireOrigin();
    const sealed = await this.vault.seal(draftLabel(captureId), fields);
    await this.#write(async (transaction) => {
      const stored = await wait(transaction.objectStore(CAPTURES).get(captureId));
      if (stored && stored.state !== "draft") throw new CaptureKnown(captureId);
      const record = stored ?? beginRecord(captureId, stamp(origin));
      await putRecord(transaction, { ...record, sealed });
    });
  }

  /**
   * Return the form of an own draft. Raise NotReadable.
   * @param {string} captureId
   * @returns {Promise<Object>}
   */
  async readDraft(captureId) {
    const record = await this.#find(captureId);
    if (record?.state !== "draft" || !record.sealed || !this.#isOwn(record)) throw new NotReadable(captureId);
    return this.#open(draftLabel(captureId), record);
  }

  /**
   * Store a capture, read it back, and return it. Only now may "saved" be shown.
   *
   * The same capture again, after a crash, is found as it was stored. Raise StorageFailed, ShiftNeeded, or
   * CaptureKnown where the id was used for other content.
   * @param {string} captureId
   * @param {CaptureContent} content
   * @returns {Promise<CaptureSummary>}
   */
  async save(captureId, content) {
    const record = beginRecord(captureId, stamp(this.#requireOrigin()));
    try {
      return await this.#store(record, content, async (transaction) => {
        const stored = await wait(transaction.objectStore(CAPTURES).get(captureId));
        if (stored && stored.state !== "draft") throw new CaptureKnown(captureId);
      });
    } catch (error) {
      if (!(error instanceof CaptureKnown)) throw error;
      const stored = await this.#find(captureId);
      if (!stored || !(await this.#holds(stored, content))) throw error;
      return summarise(stored);
    }
  }

  /**
   * Return the captures of the officer on shift, oldest first. At a kiosk nobody may see them.
   * @returns {Promise<CaptureSummary[]>}
   */
  async list() {
    const records = await transact(this.database, [CAPTURES], "readonly", (transaction) =>
      wait(transaction.objectStore(CAPTURES).getAll()),
    );
    return records.filter((record) => this.#isOwn(record)).sort(compareAge).map(summarise);
  }

  /**
   * Return the number of captures in each state, whoever made them.
   * @returns {Promise<import("../scripts/types.js").CaptureCounts>}
   */
  async count() {
    const numbers = await transact(this.database, [CAPTURES], "readonly", (transaction) => {
      const index = transaction.objectStore(CAPTURES).index("state");
      return Promise.all(STATES.map((state) => wait(index.count(state))));
    });
    const [draft, waiting, sending, accepted, needs_fix, discarded] = numbers;
    const unsent = waiting + sending + needs_fix;
    return { draft, waiting, sending, accepted, needs_fix, discarded, unsent };
  }

  /**
   * Return the content of an own capture that can be mended. Raise NotReadable.
   * @param {string} captureId
   * @returns {Promise<CaptureContent>}
   */
  async read(captureId) {
    const record = await this.#find(captureId);
    if (!record || !this.#isOwn(record) || !isMendable(record)) throw new NotReadable(captureId);
    return this.openContent(record);
  }

  /**
   * Store other content for a refused capture, and send it again. It keeps its officer, time and number; where
   * the server has used the id for other content, it becomes a capture with an id and a number of its own.
   * Raise NotMendable.
   * @param {string} captureId
   * @param {CaptureContent} content
   * @returns {Promise<CaptureSummary>}
   */
  async mend(captureId, content) {
    const record = await this.#find(captureId);
    if (!record || !this.#isOwn(record) || !isMendable(record)) throw new NotMendable(captureId);
    if (!needsNewId(record)) {
      const next = { ...record, revision: record.revision + 1, problem: null };
      return this.#store(next, content, (transaction) => requireRevision(transaction, record));
    }
    const fresh = { ...record, captureId: makeCaptureId(), sequence: null, revision: 0, problem: null };
    return this.#store(fresh, content, async (transaction) => {
      await requireRevision(transaction, record);
      const replaced = { ...wipe(record), state: /** @type {const} */ ("discarded") };
      await putRecord(transaction, { ...replaced, discardReason: `replaced:${fresh.captureId}` });
    });
  }

  /**
   * Discard an own draft or a refused capture, or change the reason while it can be taken back. Raise NotMendable.
   * @param {string} captureId
   * @param {string} reason One of `DISCARD_REASONS`; anything else is kept as "other".
   */
  async discard(captureId, reason) {
    await this.#write(async (transaction) => {
      const record = await wait(transaction.objectStore(CAPTURES).get(captureId));
      const isOpen = record && this.#isOwn(record) && (isDiscardable(record) || isUndoable(record));
      if (!isOpen) throw new NotMendable(captureId);
      await putRecord(transaction, discardRecord(record, reason, Date.now()));
    });
    setTimeout(() => void this.finishDiscards(Date.now() - UNDO_TIME).catch(() => undefined), UNDO_TIME + 50);
  }

  /**
   * Make a capture that was just discarded what it was before. Raise NotMendable or NotReadable.
   * @param {string} captureId
   */
  async takeBack(captureId) {
    const record = await this.#find(captureId);
    if (!record || !this.#isOwn(record) || !isUndoable(record)) throw new NotMendable(captureId);
    const before = takeBackRecord(record);
    const hash = before.state === "draft" ? null : await this.vault.hashNik((await this.openContent(record)).worker.nik);
    await this.#write(async (transaction) => {
      await requireRevision(transaction, record);
      await putRecord(transaction, before);
      if (hash !== null) await putNik(transaction, before, hash);
    });
  }

  /**
   * Wipe what was discarded at `latest` or before: it can be taken back no more.
   * @param {number} [latest] In milliseconds since the epoch.
   */
  async finishDiscards(latest = Infinity) {
    await this.#write((transaction) => finishDiscards(transaction, latest));
    this.#tellDue(); // The server is told of numbers that were given up.
  }

  /**
   * Return the newest capture on this device with this NIK, or null.
   * @param {string} nik
   * @returns {Promise<import("../scripts/types.js").HeldNik | null>}
   */
  async holdsNik(nik) {
    return findNik(this.database, await this.vault.hashNik(nik));
  }

  /**
   * Drop the accepted captures of an officer from the list, at the end of the shift.
   * @param {string | null} officer
   */
  async forgetAccepted(officer) {
    await this.#write(async (transaction) => {
      await deleteAccepted(transaction, officer);
      await forgetOld(transaction);
    });
  }

  /** Forget what need not be known any more: at the start too, because a kiosk's shifts do not end. */
  async forgetOld() {
    await this.#write(forgetOld);
  }

  /**
   * Discard captures that were handed over by a rescue file, but for those that `clientId` can still send.
   * @param {string[]} captureIds
   * @param {string | null} clientId
   */
  async dropForeign(captureIds, clientId) {
    await this.#write(async (transaction) => {
      for (const captureId of captureIds) {
        const record = await wait(transaction.objectStore(CAPTURES).get(captureId));
        if (!record || record.clientId === clientId || !["waiting", "needs_fix"].includes(record.state)) continue;
        const dropped = { ...wipe(record), state: /** @type {const} */ ("discarded"), notBefore: null };
        await putRecord(transaction, { ...dropped, discardReason: "rescued" });
      }
    });
  }

  /**
   * Change records as they are stored now, in one transaction, whoever made them: for the sender. One whose
   * content has changed is left alone.
   * @param {CaptureRecord[]} records
   * @param {(record: CaptureRecord) => CaptureRecord} change
   */
  async update(records, change) {
    await this.#write(async (transaction) => {
      for (const { captureId, revision } of records) {
        const stored = await wait(transaction.objectStore(CAPTURES).get(captureId));
        if (stored?.revision === revision) await putRecord(transaction, change(stored));
      }
    });
  }

  /**
   * Return the records in some states, oldest first, whoever made them: for the sender and rescue files.
   * @param {import("../scripts/types.js").CaptureState[]} states
   * @returns {Promise<CaptureRecord[]>}
   */
  async listRecords(states) {
    const found = await transact(this.database, [CAPTURES], "readonly", (transaction) => {
      const index = transaction.objectStore(CAPTURES).index("state");
      return Promise.all(states.map((state) => wait(index.getAll(state))));
    });
    return found.flat().sort(compareAge);
  }

  /**
   * Return the content of a record. Raise NotReadable.
   * @param {CaptureRecord} record
   * @returns {Promise<CaptureContent>}
   */
  openContent(record) {
    return this.#open(contentLabel(record.captureId), record);
  }

  /**
   * @param {string} label
   * @param {CaptureRecord} record
   * @returns {Promise<any>}
   */
  async #open(label, { captureId, sealed }) {
    if (!sealed) throw new NotReadable(captureId);
    return this.vault.open(label, sealed).catch(() => {
      throw new NotReadable(captureId);
    });
  }

  /**
   * @param {CaptureRecord} record
   * @param {CaptureContent} content
   * @param {(transaction: IDBTransaction) => Promise<void>} first
   * @returns {Promise<CaptureSummary>}
   */
  async #store(record, content, first) {
    const sealed = await this.vault.seal(contentLabel(record.captureId), content);
    const hash = await this.vault.hashNik(content.worker.nik);
    const stored = await this.#write(async (transaction) => {
      await first(transaction);
      const sequence = record.sequence ?? (await takeSequence(transaction, record.clientId));
      /** @type {CaptureRecord} */
      const next = { ...record, sequence, sealed, state: "waiting", notBefore: null };
      await putRecord(transaction, next);
      await putNik(transaction, next, hash);
      return next;
    });
    noteSequence(record.clientId, stored.sequence ?? 0);
    this.#tellDue();
    const found = await this.#find(record.captureId);
    if (!found || found.sequence !== stored.sequence || !(await this.#holds(found, content))) {
      throw new StorageFailed("what was read back differs");
    }
    return summarise(found);
  }

  /**
   * @param {CaptureRecord} record
   * @param {CaptureContent} content
   */
  async #holds(record, content) {
    if (!record.sealed) return false;
    try {
      return JSON.stringify(await this.openContent(record)) === JSON.stringify(content);
    } catch {
      return false;
    }
  }

  #tellDue() {
    this.dispatchEvent(new Event("due"));
    this.tabs.tell("due");
  }

  /**
   * @template Result
   * @param {(transaction: IDBTransaction) => Promise<Result>} work
   * @returns {Promise<Result>}
   */
  async #write(work) {
    const result = await transact(this.database, [VALUES, CAPTURES, NIKS], "readwrite", work).catch((error) => {
      if (error instanceof StorageFailed) this.isFull = error.isFull;
      throw error;
    });
    this.isFull = false;
    this.dispatchEvent(new Event("change"));
    this.tabs.tell("captures");
    return result;
  }

  /**
   * @param {string} captureId
   * @returns {Promise<CaptureRecord | undefined>}
   */
  #find(captureId) {
    return transact(this.database, [CAPTURES], "readonly", (transaction) =>
      wait(transaction.objectStore(CAPTURES).get(captureId)),
    );
  }

  #requireOrigin() {
    const origin = this.getOrigin();
    if (!origin) throw new ShiftNeeded();
    return origin;
  }

  /** @param {CaptureRecord} record */
  #isOwn({ officer }) {
    const origin = this.getOrigin();
    if (origin === null || (origin.isUnattended && !origin.isSelf)) return false;
    return officer === null || officer === origin.officer;
  }
}

/**
 * @param {IDBTransaction} transaction
 * @param {CaptureRecord} record
 */
async function requireRevision(transaction, { captureId, revision, state }) {
  const stored = await wait(transaction.objectStore(CAPTURES).get(captureId));
  if (stored?.revision !== revision || stored.state !== state) throw new NotMendable(captureId);
}

/** @param {Origin} origin */
function stamp({ clientId, campaignId, officer }) {
  return { clientId, campaignId, officer, capturedAt: new Date().toISOString() };
}

/** @param {string} captureId */
function contentLabel(captureId) {
  return `content ${captureId}`;
}

/** @param {string} captureId */
function draftLabel(captureId) {
  return `draft ${captureId}`;
}
