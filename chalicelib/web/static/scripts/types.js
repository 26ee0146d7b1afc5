// Types alone: what the modules of the app hand to each other. Nothing here runs.

/**
 * The worker as typed, in the words of the API (`SubmitRegistration.worker`).
 * @typedef {Object} WorkerFields
 * @property {string} nik
 * @property {string} name
 * @property {string} birth_date `YYYY-MM-DD`
 * @property {string | null} phone
 * @property {string | null} [email]
 * @property {string | null} address
 * @property {string | null} postal_code
 * @property {string} [language]
 */

/**
 * @typedef {Object} WorkFields
 * @property {string[]} occupations
 * @property {string} place
 * @property {number} monthly_income
 * @property {boolean} employs_others
 */

/**
 * @typedef {Object} CoverageFields
 * @property {string[]} programmes
 * @property {number} months
 * @property {string} payer
 * @property {string | null} [sponsor_id]
 */

/**
 * @typedef {Object} ConsentFields
 * @property {string} text_version
 * @property {string} given_at RFC 3339 with an offset
 * @property {"tick" | "signature" | "voice" | "keypad"} method
 * @property {string} [language]
 */

/**
 * What an officer enters. Outbox and sender add ids, times and numbers.
 * @typedef {Object} CaptureContent
 * @property {WorkerFields} worker
 * @property {WorkFields} work
 * @property {CoverageFields} coverage
 * @property {ConsentFields} consent
 */

/**
 * A whole capture, as it is sent.
 * @typedef {CaptureContent & {capture_id: string, campaign_id: string, captured_at: string, device_sequence: number, officer?: string}} Capture
 */

/** @typedef {"draft" | "waiting" | "sending" | "accepted" | "needs_fix" | "discarded"} CaptureState */

/**
 * One field error of the server. `message` is in the language of the request.
 * @typedef {{field: string, code: string, message?: string}} FieldError
 */

/**
 * Why the server did not take a capture in (RFC 9457).
 * @typedef {Object} Problem
 * @property {string} code
 * @property {string} [title]
 * @property {string} [detail]
 * @property {FieldError[]} [errors]
 */

/**
 * One capture in the list of the outbox. It holds nothing of the worker.
 * @typedef {Object} CaptureSummary
 * @property {string} captureId
 * @property {CaptureState} state
 * @property {string | null} officer Null at a kiosk without an officer.
 * @property {number | null} sequence Null for a draft.
 * @property {string} capturedAt Of a draft: when it was begun.
 * @property {string} campaignId
 * @property {string | null} outcome `created`, `already_registered`, `reactivated`, once accepted.
 * @property {string | null} reference Once accepted.
 * @property {string[]} differs Of a worker who was registered already: the fields that differ.
 * @property {Problem | null} problem The server's last refusal of this content.
 * @property {string | null} discardReason
 * @property {boolean} mendable Whether `mend` would be taken now.
 * @property {boolean} discardable Whether `discard` would be taken now.
 * @property {boolean} undoable Whether `takeBack` would be taken now.
 */

/** @typedef {Record<CaptureState, number> & {unsent: number}} CaptureCounts `unsent`: waiting, sending and needs_fix. */

/**
 * A capture on this device with the same NIK.
 * @typedef {{captureId: string, state: CaptureState, reference: string | null, capturedAt: string}} HeldNik
 */

/** @typedef {import("../store/outbox.js").Outbox} Outbox */
/** @typedef {import("../sync/session.js").Session} Session */
/** @typedef {import("../sync/sender.js").Sender} Sender */
/** @typedef {import("../store/shift.js").Shift} Shift */
/** @typedef {import("../store/kiosk.js").Kiosk} Kiosk */
/** @typedef {import("../sync/updates.js").Updates} Updates */

/**
 * @typedef {Object} DeviceIdentity
 * @property {string} clientId
 * @property {string[]} campaignIds
 * @property {string} campaignId The one it works for now.
 * @property {Array<{campaign_id: string, name: string, place: string, first_day: string, last_day: string, accepts_until: string}>} campaigns
 * @property {string[]} roles
 * @property {"officer" | "kiosk" | "self"} mode `self`: a worker's own phone, good for one registration.
 * @property {string | null} channel
 * @property {string} expiresAt
 */

/**
 * The bundle of a campaign (docs/http-api.md, "Working offline"). The rules know its parts.
 * @typedef {Object} Bundle
 * @property {string} version
 * @property {string} server_time
 * @property {{campaign_id: string, name: string, branch: string, place: string, zone: string, first_day: string, last_day: string, accepts_until: string, target: number}} campaign
 * @property {Array<{sponsor_id: string, name: string, quota?: number}>} sponsors
 * @property {any[]} occupations
 * @property {any} programmes
 * @property {any[]} contribution_tables
 * @property {any[]} discount_policies
 * @property {string} quote_zone
 * @property {Array<{version: string, text: Record<string, string>}>} consent_texts
 * @property {any} limits
 * @property {any} [rescue_key]
 */

/**
 * What the device says about its own storage.
 * @typedef {Object} SpaceReport
 * @property {boolean} persistent Whether the browser promised not to clear it by itself.
 * @property {boolean} low Less than 50 MB are free, or a write failed for want of space.
 * @property {number | null} freeBytes
 */

/**
 * @typedef {{blob: Blob, filename: string, count: number, captureIds: string[]}} RescueFile
 */

/**
 * All of it, as `openDevice()` of `device.js` returns it.
 * @typedef {Object} Device
 * @property {Outbox} outbox
 * @property {Session} session
 * @property {Sender} sender
 * @property {Shift} shift
 * @property {() => Promise<RescueFile>} exportRescueFile All unsent captures, whoever made them, sealed for the server; changes nothing. Raise `RescueKeyMissing`.
 * @property {(file: RescueFile) => Promise<void>} dropRescued Discard what a file held and this device may send no more (it was revoked, or is enrolled as another), once the manager says that it was taken in.
 * @property {() => Promise<SpaceReport>} checkSpace
 * @property {string} release The release of the app that runs.
 * @property {Kiosk} kiosk
 * @property {Updates} update
 * @property {(method: string, path: string, body?: unknown) => Promise<any>} request Call the API as this device, such as ("GET", "v1/registrations/7K4-M2Q-X9P"), and return the answer's body. Raise `ApiProblem` or `Unreachable`.
 * @property {(method: string, path: string, body?: unknown) => Promise<any>} requestPublic The same without a token.
 * @property {string} language The language of the server's messages: `id` or `en`.
 */

export {};
