// Cleaning of values that a person typed or pasted, as chalicelib/typed.py does it: what cannot be seen is
// dropped, then the value is judged. Cleaning never adds, joins or changes a digit that the person sees.

/** The signs that keyboards give for the apostrophe of Indonesian names. */
export const APOSTROPHES = "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u2018\u2019\u201b\u2032\uff07";

// Characters without a shape of their own: formats, joiners, fillers, variation selectors.
const INVISIBLE =
  /[\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
const BLANKS = " \\t\\r\\n\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u2800\\u3000";
const BLANKS_AT_ENDS = new RegExp(`^[${BLANKS}]+|[${BLANKS}]+$`, "gu");
const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

// The blanks that Python's `\s` matches. JavaScript's leaves out the separators \x1c-\x1f and \x85.
const PYTHON_BLANKS = /[\s\x1c-\x1f\x85]+/gu;
const EXPONENT = /^[+-]?\p{Nd}+(?:[.,]\p{Nd}+)?[eE][+-]?\p{Nd}+$/u;
const PAIRS = /^\+?\p{Nd}+(?:\.\p{Nd}{2}){3,}$/u;
const MAX_FRACTION_DIGITS = 2;

/**
 * Return a text in NFC, without invisible characters and without blanks at both ends.
 * @param {string} text
 */
export function cleanText(text) {
  return text.replace(INVISIBLE, "").normalize("NFC").replace(BLANKS_AT_ENDS, "");
}

/**
 * Return a text cleaned, with full-width digits, letters and signs as the usual ones.
 * @param {string} text
 */
export function cleanNumber(text) {
  return cleanText(text).replace(/[\uff01-\uff5e\u3000]/gu, (sign) =>
    sign === "\u3000" ? " " : String.fromCharCode(sign.charCodeAt(0) - 0xfee0),
  );
}

/**
 * Return the code of what makes a cleaned free text unusable, or null.
 * @param {string} cleaned
 */
export function findTextProblem(cleaned) {
  if (!cleaned) return "text_blank";
  return CONTROLS.test(cleaned) ? "text_characters" : null;
}

/**
 * Return how many digits a person sees in a cleaned number.
 * @param {string} cleaned
 */
export function countDigits(cleaned) {
  return (cleaned.match(/\p{Nd}/gu) ?? []).length;
}

/**
 * Return the digits of a text in any script, as `0` to `9`, with the other characters as they are.
 * @param {string} text
 */
export function toAsciiDigits(text) {
  return text.replace(/\p{Nd}/gu, (digit) => String(findDigitValue(/** @type {number} */ (digit.codePointAt(0)))));
}

/** @param {number} code */
function findDigitValue(code) {
  // The decimal digits of a script are ten code points in a row, and blocks of them may stand side by side.
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return (code - first) % 10;
}

/**
 * Return a text without blanks.
 * @param {string} text
 */
export function removeBlanks(text) {
  return text.replace(PYTHON_BLANKS, "");
}

/**
 * Return true for a number that a spreadsheet took for a quantity: `812345678.0`, `3,17E+15`.
 * @param {string} cleaned
 */
export function isFromSpreadsheet(cleaned) {
  const compact = removeBlanks(cleaned);
  if (EXPONENT.test(compact)) return true;
  const whole = compact.split(/[.,\u066b]/u);
  const digits = (whole.pop() ?? "").replace(/\P{Nd}+/gu, "");
  if (!whole.length || !digits || PAIRS.test(compact)) return false;
  return [...digits].length <= MAX_FRACTION_DIGITS || (whole.length === 1 && /^0+$/.test(digits));
}
