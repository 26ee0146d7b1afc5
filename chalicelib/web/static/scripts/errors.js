// The errors that the storage and the network raise. Screens choose a text by `name`.

/** The browser refused, lost or changed what was written. Nothing was saved. */
export class StorageFailed extends Error {
  name = "StorageFailed";

  /** @param {string} message @param {boolean} [isFull] */
  constructor(message, isFull = false) {
    super(message);
    this.isFull = isFull;
  }
}

/** No officer is on shift. */
export class ShiftNeeded extends Error {
  name = "ShiftNeeded";
}

/** A capture with this id was saved before. */
export class CaptureKnown extends Error {
  name = "CaptureKnown";
}

/** Another officer made the capture, or its personal fields are gone. */
export class NotReadable extends Error {
  name = "NotReadable";
}

/** The capture is not in a state in which it may be changed. */
export class NotMendable extends Error {
  name = "NotMendable";
}

/** The PIN is wrong. The next try is possible after `waitSeconds`. */
export class WrongPin extends Error {
  name = "WrongPin";

  /** @param {number} waitSeconds */
  constructor(waitSeconds) {
    super("wrong PIN");
    this.waitSeconds = waitSeconds;
  }
}

/** A new PIN is shorter than six digits, or one digit repeated, or a run such as 123456. */
export class PinTooWeak extends Error {
  name = "PinTooWeak";
}

/** The officer's id has characters that the server refuses. */
export class OfficerMalformed extends Error {
  name = "OfficerMalformed";
}

/** The bundle has no key for rescue files. */
export class RescueKeyMissing extends Error {
  name = "RescueKeyMissing";
}

/** No answer came: no network, a time-out, or an answer of something that is not the API. */
export class Unreachable extends Error {
  name = "Unreachable";
}

/** The API answered with a problem. */
export class ApiProblem extends Error {
  name = "ApiProblem";

  /** @param {number} status @param {import("./types.js").Problem} problem @param {number | null} retryAfterSeconds */
  constructor(status, problem, retryAfterSeconds = null) {
    super(problem.code);
    this.status = status;
    this.problem = problem;
    this.code = problem.code;
    this.retryAfterSeconds = retryAfterSeconds;
    /** The device's clock minus the server's, in seconds. @type {number | null} */
    this.skew = null;
  }
}
