// What the outbox stores of a capture, and how its state changes. Pure.

/** @typedef {import("../scripts/types.js").CaptureState} CaptureState */
/** @typedef {import("../scripts/types.js").CaptureSummary} CaptureSummary */
/** @typedef {import("../scripts/types.js").Problem} Problem */

/**
 * A capture as it is stored. All that is personal is in `sealed`.
 * @typedef {Object} CaptureRecord
 * @property {string} captureId
 * @property {CaptureState} state
 * @property {string} clientId The device that made it, as the server knows it.
 * @property {string | null} officer
 * @property {number | null} sequence
 * @property {string} campaignId
 * @property {string} capturedAt
 * @property {import("./vault.js").Sealed | null} sealed
 * @property {number} revision Grows by one whenever the content changes.
 * @property {number | null} notBefore When it may be sent again, in milliseconds since the epoch.
 * @property {string | null} outcome
 * @property {string | null} reference
 * @property {string[]} differs
 * @property {Problem | null} problem
 * @property {string | null} discardReason
 * @property {boolean} [owesReport] Whether the server has to be told that this number was discarded.
 * @property {CaptureState} [discardedFrom] The state to which a discarded capture can be taken back.
 * @property {number} [discardedAt] In milliseconds since the epoch.
 */

/**
 * The server's result for one capture of a batch.
 * @typedef {{capture_id?: string | null, outcome?: string, reference?: string, differs?: string[], problem?: Problem}} Verdict
 */

const ACCEPTED = new Set(["created", "reactivated", "already_registered", "accepted"]);
const MINUTE = 60_000;
/** How long a capture waits that a cap refused: until the next minute, or for a while of the day. */
const CAP_PAUSES = new Map([
  ["kiosk_cap_reached", MINUTE],
  ["client_cap_reached", 30 * MINUTE],
  ["phone_cap_reached", 30 * MINUTE],
]);

/** The times that the server found in the future: the clock of this device was fast. */
const IN_FUTURE = new Set(["captured_in_future", "consent_in_future"]);

/**
 * Return a record as a draft that was just begun.
 * @param {string} captureId
 * @param {{clientId: string, officer: string | null, campaignId: string, capturedAt: string}} origin
 * @returns {CaptureRecord}
 */
export function beginRecord(captureId, origin) {
  return {
    captureId,
    ...origin,
    state: "draft",
    sequence: null,
    sealed: null,
    revision: 0,
    notBefore: null,
    outcome: null,
    reference: null,
    differs: [],
    problem: null,
    discardReason: null,
  };
}

/**
 * Return a record after the server's verdict on it. It is accepted if and only if the verdict says so.
 * @param {CaptureRecord} record
 * @param {Verdict | undefined} verdict
 * @param {{now: number, pause: number, skew: number}} clock `pause` before it is sent again; `skew`: this device minus the server. In milliseconds.
 * @returns {CaptureRecord}
 */
export function applyVerdict(record, verdict, { now, pause, skew }) {
  const waiting = { ...record, state: /** @type {const} */ ("waiting"), notBefore: now + pause };
  if (!verdict) return waiting;
  const { outcome = "", problem, reference = null, differs = [] } = verdict;
  if (!problem) {
    if (!reference && !ACCEPTED.has(outcome)) return waiting;
    return { ...wipe(record), state: "accepted", outcome, reference, differs, problem: null, notBefore: null };
  }
  const kept = keepProblem(problem);
  if (outcome === "try_again") return waiting;
  const capPause = CAP_PAUSES.get(problem.code);
  if (capPause !== undefined) return { ...waiting, problem: kept, notBefore: now + capPause };
  if (problem.code === "capture_forgotten") {
    return { ...wipe(record), state: "discarded", problem: kept, discardReason: "erased", notBefore: null };
  }
  const codes = (problem.errors ?? []).map((error) => error.code);
  if (codes.length > 0 && codes.every((code) => IN_FUTURE.has(code))) {
    // The clock may be set right at any time: it is tried again now and then, whatever the skew was.
    const due = Date.parse(record.capturedAt) + Math.max(skew, 0);
    return { ...waiting, problem: kept, notBefore: Math.min(Math.max(due, now + MINUTE), now + 10 * MINUTE) };
  }
  return { ...record, state: "needs_fix", problem: kept, notBefore: null };
}

/**
 * Return whether other content may be stored for a record: the server has refused this one, and kept nothing.
 * @param {CaptureRecord} record
 */
export function isMendable({ state, problem, sealed }) {
  return sealed !== null && (state === "needs_fix" || (state === "waiting" && problem?.code === "phone_cap_reached"));
}

/**
 * Return whether a record may be dropped: the server knows its number, or it has none.
 * @param {CaptureRecord} record
 */
export function isDiscardable({ state }) {
  return state === "draft" || state === "needs_fix";
}

/**
 * Return whether the server has stored this capture id with other content, so that the content needs another.
 * @param {CaptureRecord} record
 */
export function needsNewId({ problem }) {
  return problem?.code === "capture_reused";
}

/**
 * Return a record without its personal fields.
 * @param {CaptureRecord} record
 * @returns {CaptureRecord}
 */
export function wipe(record) {
  return { ...record, sealed: null };
}

/** How long a discarded capture can be taken back; until then its content stays, sealed. In milliseconds. */
export const UNDO_TIME = 30_000;

/** Why an officer may give a capture up. What somebody typed might name the worker: it is not kept. */
export const DISCARD_REASONS = ["mistake", "twice", "withdrawn", "other"];

/**
 * Return a draft or a refused record that an officer gave up. The server may never have read its number.
 * @param {CaptureRecord} record
 * @param {string} reason
 * @param {number} now
 * @returns {CaptureRecord}
 */
export function discardRecord(record, reason, now) {
  return {
    ...record,
    state: "discarded",
    discardReason: toReason(reason),
    notBefore: null,
    owesReport: record.sequence !== null,
    discardedFrom: record.discardedFrom ?? record.state,
    discardedAt: record.discardedAt ?? now,
  };
}

/**
 * Return whether a discarded record can be taken back: its content is still there.
 * @param {CaptureRecord} record
 */
export function isUndoable({ state, sealed, discardedFrom }) {
  return state === "discarded" && sealed !== null && discardedFrom !== undefined;
}

/**
 * Return a discarded record as it was before.
 * @param {CaptureRecord} record
 * @returns {CaptureRecord}
 */
export function takeBackRecord(record) {
  const before = { ...record, state: record.discardedFrom ?? record.state, discardReason: null };
  delete before.discardedFrom;
  delete before.discardedAt;
  delete before.owesReport;
  return before;
}

/** @param {string | null} reason */
function toReason(reason) {
  return reason !== null && DISCARD_REASONS.includes(reason) ? reason : "other";
}

/**
 * Return what the server is told of a discarded record: a code, and nothing that somebody typed.
 * @param {CaptureRecord} record
 */
export function reportDiscard({ sequence, discardReason }) {
  return { device_sequence: sequence, reason: toReason(discardReason) };
}

/**
 * Order records by their numbers, and drafts after them by their ids.
 * @param {CaptureRecord} one
 * @param {CaptureRecord} other
 */
export function compareAge(one, other) {
  return (one.sequence ?? Infinity) - (other.sequence ?? Infinity) || (one.captureId < other.captureId ? -1 : 1);
}

/**
 * Return what the list of the outbox shows of a record.
 * @param {CaptureRecord} record
 * @returns {CaptureSummary}
 */
export function summarise(record) {
  const { captureId, state, officer, sequence, capturedAt, campaignId } = record;
  const { outcome, reference, differs, problem, discardReason } = record;
  return {
    captureId,
    state,
    officer,
    sequence,
    capturedAt,
    campaignId,
    outcome,
    reference,
    differs,
    problem,
    discardReason,
    mendable: isMendable(record),
    discardable: isDiscardable(record),
    undoable: isUndoable(record),
  };
}

/**
 * Return the known parts of a problem. An answer may have other members, which nobody has looked at.
 * @param {Problem} problem
 * @returns {Problem}
 */
function keepProblem({ code, title, detail, errors }) {
  return {
    code,
    ...(title === undefined ? {} : { title }),
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined
      ? {}
      : { errors: errors.map((error) => ({ field: error.field, code: error.code, message: error.message })) }),
  };
}
