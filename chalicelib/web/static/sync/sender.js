// Sends what waits in the outbox: in batches, by one tab at a time, until the server has judged every capture.

import { ApiProblem, StorageFailed, Unreachable } from "../scripts/errors.js";
import { applyVerdict, reportDiscard } from "../store/records.js";
import { computePause } from "./backoff.js";
import { isTokenRefused } from "./session.js";

/** @typedef {import("../store/records.js").CaptureRecord} CaptureRecord */
/** @typedef {import("../store/records.js").Verdict} Verdict */
/** @typedef {{record: CaptureRecord, capture: import("../scripts/types.js").Capture}} Item */

const LOCK = "daftar-sender";
const FIRST_SIZE = 10;
const SMALLEST_SIZE = 5;
const LARGEST_SIZE = 100;
/** What the server takes in one report. */
const MOST_DISCARDS = 50;
const UNREADABLE = { code: "content_unreadable" };
/** Statuses after which a batch is sent again in smaller parts: one of its captures is what the server minds. */
const SPLITS = new Set([400, 413, 422]);

/** The sender. Of several tabs the one that holds the lock sends; when it is closed, another one takes over. */
export class Sender extends EventTarget {
  /**
   * @param {import("../store/outbox.js").Outbox} outbox
   * @param {import("./session.js").Session} session
   * @param {{locks?: LockManager, random?: () => number}} [platform]
   */
  constructor(outbox, session, { locks = navigator.locks, random = Math.random } = {}) {
    super();
    this.outbox = outbox;
    this.session = session;
    this.locks = locks;
    this.random = random;
    /** @type {"stopped" | "idle" | "sending" | "waiting" | "refused"} */
    this.state = "stopped";
    /** @type {number | null} */
    this.nextTryAt = null;
    /** @type {string | null} */
    this.lastError = null;
    /** @type {number | null} */
    this.lastSuccessAt = null;
    this.size = FIRST_SIZE;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Promise<void> | null} */
    this.running = null;
    this.isAsked = false;
  }

  /** Send what waits, and whatever is saved from now on, until the page is closed. */
  start() {
    if (this.state !== "stopped") return;
    this.#show("idle");
    this.outbox.addEventListener("due", () => this.#wake());
    this.session.addEventListener("change", () => ["idle", "refused"].includes(this.state) && this.#wake());
    addEventListener("online", () => this.sendNow());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
    this.#wake();
  }

  /** Try at once, and also what was to wait; resolves when that try has ended. */
  async sendNow() {
    this.failures = 0;
    this.nextTryAt = null;
    await this.running;
    await this.#run(true);
  }

  /** Begin a run unless one is under way, or a pause is on. */
  #wake() {
    this.isAsked = true;
    if (this.running || this.state === "stopped") return;
    if (this.nextTryAt !== null && Date.now() < this.nextTryAt && this.failures > 0) return;
    void this.#run(false);
  }

  /** @param {boolean} isImpatient */
  #run(isImpatient) {
    this.running ??= this.#runOnce(isImpatient).finally(() => {
      this.running = null;
      if (this.isAsked) this.#wake();
    });
    return this.running;
  }

  /** @param {boolean} isImpatient */
  async #runOnce(isImpatient) {
    clearTimeout(this.timer);
    this.isAsked = false;
    try {
      // Without `ifAvailable`: a tab waits here until the one that sends is closed, or has nothing to send.
      await this.locks.request(LOCK, async () => {
        await this.#sendAll(isImpatient);
        await this.#reportDiscards();
      });
      this.failures = 0;
      this.lastError = null;
      await this.#sleepUntilDue();
    } catch (error) {
      this.#handle(error);
    }
  }

  /** @param {boolean} isImpatient */
  async #sendAll(isImpatient) {
    // Only the holder of the lock sends: what is marked as being sent was left by a page that is gone.
    await this.#release();
    for (let isFirst = true; ; isFirst = false) {
      const items = await this.#take(isImpatient && isFirst);
      if (items.length === 0) return;
      this.#show("sending");
      try {
        await this.#apply(items, await this.#send(items));
      } catch (error) {
        await this.#release();
        throw error;
      }
      this.lastSuccessAt = Date.now();
      this.size = Math.min(LARGEST_SIZE, this.size * 2);
    }
  }

  /** Tell the server which numbers were given up, so that nobody waits for them. */
  async #reportDiscards() {
    const { device } = this.session;
    if (!device || device.mode === "self" || this.session.isRefused) return;
    const discarded = await this.outbox.listRecords(["discarded"]);
    const owed = discarded.filter(({ owesReport, sealed, clientId }) => owesReport && sealed === null && clientId === device.clientId);
    for (let start = 0; start < owed.length; start += MOST_DISCARDS) {
      const part = owed.slice(start, start + MOST_DISCARDS);
      await this.#post("v1/device/discards", { discards: part.map(reportDiscard) });
      await this.outbox.update(part, (record) => ({ ...record, owesReport: false }));
    }
  }

  /** Mark everything that is being sent as waiting. */
  async #release() {
    const left = await this.outbox.listRecords(["sending"]);
    if (left.length > 0) await this.outbox.update(left, (record) => ({ ...record, state: "waiting" }));
  }

  /**
   * Return the oldest captures that may be sent now, marked as being sent.
   * @param {boolean} isImpatient
   * @returns {Promise<Item[]>}
   */
  async #take(isImpatient) {
    const { device } = this.session;
    if (!device || (this.session.isRefused && !isImpatient)) return [];
    const waiting = await this.outbox.listRecords(["waiting"]);
    const most = device.mode === "self" ? 1 : this.size;
    const limit = Math.min(most, this.session.bundle?.limits?.batch_items ?? LARGEST_SIZE);
    const due = waiting
      .filter((record) => record.clientId === device.clientId)
      .filter((record) => isImpatient || record.notBefore === null || record.notBefore <= Date.now())
      .slice(0, limit);
    /** @type {Item[]} */
    const items = [];
    for (const record of due) {
      const capture = await this.#compose(record);
      if (capture) items.push({ record, capture });
    }
    const ids = new Set(items.map(({ record }) => record.captureId));
    if (due.length > 0) {
      await this.outbox.update(due, (record) =>
        ids.has(record.captureId)
          ? { ...record, state: "sending" }
          : { ...record, state: "needs_fix", problem: UNREADABLE },
      );
    }
    return items.length > 0 || due.length === 0 ? items : this.#take(isImpatient);
  }

  /**
   * Return a record as it is sent: always the same content for the same revision; null if it cannot be read.
   * @param {CaptureRecord} record
   */
  async #compose(record) {
    try {
      return composeCapture(record, await this.outbox.openContent(record));
    } catch {
      return null;
    }
  }

  /**
   * Return the server's verdicts. Raise ApiProblem or Unreachable.
   * @param {Item[]} items
   * @returns {Promise<Verdict[]>}
   */
  async #send(items) {
    if (this.session.device?.mode === "self") return [await this.#sendAlone(items[0])];
    try {
      const { body } = await this.#post("v1/registrations/batch", { items: items.map(({ capture }) => capture) });
      if (!Array.isArray(body.results)) throw new Unreachable("not an answer of the API");
      return body.results;
    } catch (error) {
      if (!(error instanceof ApiProblem) || !SPLITS.has(error.status)) throw error;
      if (items.length === 1) return [refuse(items[0], error)];
      const middle = Math.ceil(items.length / 2);
      return [...(await this.#send(items.slice(0, middle))), ...(await this.#send(items.slice(middle)))];
    }
  }

  /**
   * Return the verdict on the one capture that a worker's own phone may send.
   * @param {Item} item
   * @returns {Promise<Verdict>}
   */
  async #sendAlone(item) {
    try {
      return (await this.#post("v1/registrations", item.capture)).body;
    } catch (error) {
      const isVerdict = error instanceof ApiProblem && error.status < 500 && error.status !== 429;
      if (!isVerdict || isTokenRefused(error)) throw error;
      return refuse(item, error);
    }
  }

  /**
   * @param {string} path
   * @param {unknown} body
   */
  #post(path, body) {
    const skew = this.session.clockSkewSeconds;
    /** @type {Record<string, string>} */
    const headers = skew === null ? {} : { "Device-Clock-Skew": String(skew) };
    return this.session.call(path, { method: "POST", body, isLarge: true, headers });
  }

  /**
   * Store the verdicts, each by its capture id. What has none stays as it was.
   * @param {Item[]} items
   * @param {Verdict[]} verdicts
   */
  async #apply(items, verdicts) {
    const byId = new Map(verdicts.map((verdict) => [verdict.capture_id, verdict]));
    const clock = {
      now: Date.now(),
      pause: computePause(1, this.random()),
      skew: (this.session.clockSkewSeconds ?? 0) * 1000,
    };
    const records = items.map(({ record }) => record);
    await this.outbox.update(records, (record) => applyVerdict(record, byId.get(record.captureId), clock));
  }

  /** Sleep until the next capture may be sent again, if there is one. */
  async #sleepUntilDue() {
    const waiting = await this.outbox.listRecords(["waiting"]);
    const times = waiting.flatMap(({ notBefore }) => (notBefore === null ? [] : [notBefore]));
    if (times.length === 0 || this.session.isRefused) {
      this.nextTryAt = null;
      this.#show(this.session.isRefused ? "refused" : "idle");
    } else {
      this.#sleep(Math.max(1_000, Math.min(...times) - Date.now()));
    }
  }

  /** @param {unknown} error */
  #handle(error) {
    if (error instanceof ApiProblem && isTokenRefused(error)) {
      this.lastError = error.code;
      this.nextTryAt = null;
      this.#show("refused");
      return;
    }
    this.failures += 1;
    this.size = Math.max(SMALLEST_SIZE, Math.floor(this.size / 2));
    const pause = computePause(this.failures, this.random());
    if (error instanceof ApiProblem) {
      this.lastError = error.code;
      this.#sleep(Math.max(pause, (error.retryAfterSeconds ?? 0) * 1_000));
    } else {
      this.lastError = error instanceof StorageFailed ? "storage" : "unreachable";
      this.#sleep(pause);
      if (!(error instanceof Unreachable || error instanceof StorageFailed)) reportError(error);
    }
  }

  /** @param {number} pause */
  #sleep(pause) {
    this.nextTryAt = Date.now() + pause;
    this.timer = setTimeout(() => this.#run(false), pause);
    this.#show("waiting");
  }

  /** @param {Sender["state"]} state */
  #show(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Return the verdict that a problem of a whole request is, on the one capture in it.
 * @param {Item} item
 * @param {ApiProblem} error
 * @returns {Verdict}
 */
function refuse({ record }, { problem }) {
  return { capture_id: record.captureId, outcome: "invalid", problem };
}

/**
 * Return a capture in the form in which it is sent and exported.
 * @param {CaptureRecord} record
 * @param {import("../scripts/types.js").CaptureContent} content
 * @returns {import("../scripts/types.js").Capture}
 */
export function composeCapture({ captureId, campaignId, capturedAt, sequence, officer }, content) {
  return {
    capture_id: captureId,
    campaign_id: campaignId,
    captured_at: capturedAt,
    device_sequence: sequence ?? 0,
    ...(officer === null ? {} : { officer }),
    ...content,
  };
}
