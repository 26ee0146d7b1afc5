// The short code of a capture: what a worker keeps until the reference comes. It is made from the capture's id
// alone, so that a device makes it offline and the server can make it again.

// As references: no 0/O, 1/I/L and U.
const ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_DIGITS = 12;
const LENGTH = 8;

/**
 * Return the short code of a capture, such as `K7M2-Q9XP`: 39 of the random bits at the end of its id.
 * @param {string} captureId
 */
export function makeShortCode(captureId) {
  let rest = parseInt(captureId.replace(/-/g, "").slice(-RANDOM_DIGITS), 16);
  let code = "";
  for (let index = 0; index < LENGTH; index += 1) {
    code = ALPHABET[rest % ALPHABET.length] + code;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
