// PINs and codes, kept on the device as salted hashes that are slow to try.

import { PinTooWeak, WrongPin } from "../scripts/errors.js";
import { fromBase64 } from "./base64.js";

const ITERATIONS = 200_000;
const SALT_BYTES = 16;
const DIGITS = 6;
/** Tries before each further one has to wait, twice as long each time. */
const FREE_TRIES = 5;
const FIRST_WAIT = 30_000;
const LONGEST_WAIT = 900_000;

/**
 * A PIN as it is stored. `salt` is null for "no PIN".
 * @typedef {{salt: Uint8Array | null, hash: ArrayBuffer | null, iterations: number, failures: number, triedAt: number}} StoredPin
 */

/**
 * Return a PIN in the form in which it is kept. Raise PinTooWeak.
 * @param {string} pin Empty for none.
 * @returns {Promise<StoredPin>}
 */
export async function hashPin(pin) {
  if (pin === "") return { salt: null, hash: null, iterations: 0, failures: 0, triedAt: 0 };
  if (isWeak(pin)) throw new PinTooWeak();
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  return { salt, hash: await derive(pin, salt, ITERATIONS), iterations: ITERATIONS, failures: 0, triedAt: 0 };
}

/**
 * Return a code that the server made and hashed, in the form in which PINs are kept.
 * @param {{salt: string, iterations: number, hash: string}} code
 * @returns {StoredPin}
 */
export function readHashedCode({ salt, iterations, hash }) {
  return { salt: fromBase64(salt), hash: fromBase64(hash).buffer, iterations, failures: 0, triedAt: 0 };
}

/**
 * Compare a PIN with a stored one, and return the stored one with this try counted.
 * @param {StoredPin} stored
 * @param {string} pin
 * @param {number} now Milliseconds since the epoch.
 * @returns {Promise<{isRight: boolean, waitSeconds: number, next: StoredPin}>} `waitSeconds` until the next try.
 */
export async function tryPin(stored, pin, now) {
  if (!stored.salt || !stored.hash) return { isRight: pin === "", waitSeconds: 0, next: stored };
  const waitSeconds = computeWait(stored, now);
  if (waitSeconds > 0) return { isRight: false, waitSeconds, next: stored };
  const isRight = isSame(await derive(pin, stored.salt, stored.iterations), stored.hash);
  const next = { ...stored, failures: isRight ? 0 : stored.failures + 1, triedAt: now };
  return { isRight, waitSeconds: isRight ? 0 : computeWait(next, now), next };
}

/**
 * Raise WrongPin unless a try was right.
 * @param {{isRight: boolean, waitSeconds: number}} result
 */
export function requireRight({ isRight, waitSeconds }) {
  if (!isRight) throw new WrongPin(waitSeconds);
}

/**
 * Return the seconds until a PIN may be tried again. A clock that was set back does not make them longer.
 * @param {StoredPin} stored
 * @param {number} now
 */
function computeWait({ failures, triedAt }, now) {
  if (failures < FREE_TRIES) return 0;
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - FREE_TRIES));
  const passed = now - triedAt;
  return passed < 0 ? Math.ceil(wait / 1000) : Math.ceil(Math.max(0, wait - passed) / 1000);
}

/** @param {string} pin */
function isWeak(pin) {
  const digits = Array.from(pin, Number);
  const steps = digits.slice(1).map((digit, position) => digit - digits[position]);
  const isRun = steps.every((step) => step === steps[0]) && Math.abs(steps[0]) <= 1;
  return !/^[0-9]+$/.test(pin) || pin.length < DIGITS || isRun;
}

/**
 * @param {string} pin
 * @param {Uint8Array} salt
 * @param {number} iterations
 */
async function derive(pin, salt, iterations) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(salt), iterations };
  return crypto.subtle.deriveBits(how, key, 256);
}

/**
 * @param {ArrayBuffer} one
 * @param {ArrayBuffer} other
 */
function isSame(one, other) {
  const [first, second] = [new Uint8Array(one), new Uint8Array(other)];
  return first.length === second.length && first.every((byte, position) => byte === second[position]);
}
