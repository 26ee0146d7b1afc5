// Indonesian mobile numbers, judged by the numbering plan of the bundle.

import { cleanNumber, countDigits, isFromSpreadsheet, toAsciiDigits } from "./typed.js";

/**
 * @typedef {object} PhoneLimits
 * @property {string} country_code
 * @property {string} trunk_prefix
 * @property {string} national_pattern
 * @property {string} other_pattern
 */

const PUNCTUATION = /[\s\x1c-\x1f\x85().\-/\u2010-\u2015]+/gu;
const APPENDIX_MARK = /[./(]/u;
const MIN_INTERNATIONAL_DIGITS = 2;
const MAX_DIGITS = 17;

/**
 * Return a number in E.164 form, or the code of the rule that it breaks. It may be typed as 0812…, 812…,
 * 62812…, 0062812… or +62 (0)812-….
 * @param {string} text
 * @param {PhoneLimits} plan
 * @returns {{value: string} | {code: string, digits?: number}}
 */
export function parsePhone(text, plan) {
  const typed = cleanNumber(text);
  if (isFromSpreadsheet(typed)) return { code: "number_from_spreadsheet" };
  const malformed = { code: "phone_malformed", digits: countDigits(typed) };
  const number = readNumber(typed, plan);
  if (!number) return malformed;
  // What is written behind a whole number must not become its last digits.
  const [head, ...appendices] = typed.split(APPENDIX_MARK);
  if (appendices.length === 1 && isNumber(head, plan)) return malformed;
  if (number.isForeign) return { code: "phone_foreign" };
  if (matches(plan.national_pattern, number.national)) return { value: `+${plan.country_code}${number.national}` };
  return matches(plan.other_pattern, number.national) ? { code: "phone_not_mobile" } : malformed;
}

/**
 * @param {string} typed
 * @param {PhoneLimits} plan
 * @returns {{isForeign: boolean, national: string} | null}
 */
function readNumber(typed, plan) {
  let dialled = toAsciiDigits(typed.replace(PUNCTUATION, ""));
  if (!/^\+?[0-9]+$/.test(dialled)) return null;
  if (dialled.startsWith("00")) dialled = `+${dialled.slice(2)}`;
  const isInternational = dialled.startsWith("+");
  let national = isInternational ? dialled.slice(1) : dialled;
  if (national.length < MIN_INTERNATIONAL_DIGITS || national.length > MAX_DIGITS) return null;
  if (isInternational && !national.startsWith(plan.country_code)) return { isForeign: true, national };
  if (isInternational) return { isForeign: false, national: removeTrunkPrefix(national.slice(plan.country_code.length), plan) };
  if (national.startsWith(plan.country_code) && !isPossible(national, plan)) {
    const rest = removeTrunkPrefix(national.slice(plan.country_code.length), plan);
    if (isPossible(rest, plan)) national = rest;
  }
  return { isForeign: false, national: removeTrunkPrefix(national, plan) };
}

/**
 * @param {string} national
 * @param {PhoneLimits} plan
 */
function removeTrunkPrefix(national, plan) {
  return national.startsWith(plan.trunk_prefix) ? national.slice(plan.trunk_prefix.length) : national;
}

/**
 * @param {string} typed
 * @param {PhoneLimits} plan
 */
function isNumber(typed, plan) {
  const number = readNumber(typed, plan);
  return number !== null && !number.isForeign && isPossible(number.national, plan);
}

/**
 * @param {string} national
 * @param {PhoneLimits} plan
 */
function isPossible(national, plan) {
  return matches(plan.national_pattern, national) || matches(plan.other_pattern, national);
}

/**
 * @param {string} pattern
 * @param {string} text
 */
function matches(pattern, text) {
  return new RegExp(`^(?:${pattern})$`).test(text);
}
