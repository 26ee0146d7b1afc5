// The NIK `PPKKCC DDMMYY SSSS`, judged by the limits of the bundle. It has no check digit.

import { makeDay } from "./dates.js";
import { cleanNumber, countDigits, isFromSpreadsheet } from "./typed.js";

/**
 * @typedef {object} NikLimits
 * @property {number} length
 * @property {string[]} provinces
 * @property {number} female_day_offset
 * @property {string} refused_serial
 * @property {string} last_regency
 *
 * @typedef {object} Nik
 * @property {string} value
 * @property {string} birthDate
 * @property {"female" | "male"} sex
 * @property {boolean} hasValidPlaceCode
 */

const SEPARATORS = /[\s\x1c-\x1f\x85.-]+/gu;

/**
 * Return a NIK that was typed with or without spaces, dots or dashes, or the code of the rule that it breaks.
 * The century is the one in which its bearer is 0-99 years old on the day of capture.
 * @param {string} text
 * @param {string} captureDay
 * @param {NikLimits} limits
 * @returns {Nik | {code: string, digits?: number}}
 */
export function parseNik(text, captureDay, limits) {
  const typed = cleanNumber(text);
  if (isFromSpreadsheet(typed)) return { code: "number_from_spreadsheet" };
  const value = typed.replace(SEPARATORS, "");
  if (value.length !== limits.length || !/^[0-9]+$/.test(value)) {
    const digits = countDigits(typed);
    return digits === limits.length ? { code: "nik_length" } : { code: "nik_length", digits };
  }
  if (!limits.provinces.includes(value.slice(0, 2))) return { code: "nik_province" };
  if (value.slice(12) === limits.refused_serial) return { code: "nik_serial" };
  const birth = readBirth(value, captureDay, limits);
  if (!birth) return { code: "nik_birth_date" };
  const hasValidPlaceCode =
    value.slice(2, 4) >= "01" && value.slice(2, 4) <= limits.last_regency && value.slice(4, 6) !== "00";
  return { value, ...birth, hasValidPlaceCode };
}

/**
 * Return the birth date and the sex that the digits of a NIK tell, or null.
 * @param {string} digits
 * @param {string} captureDay
 * @param {NikLimits} limits
 * @returns {{birthDate: string, sex: "female" | "male"} | null}
 */
function readBirth(digits, captureDay, limits) {
  const [day, month, year] = [6, 8, 10].map((start) => Number(digits.slice(start, start + 2)));
  const isFemale = day > limits.female_day_offset;
  const captureYear = Number(captureDay.slice(0, 4));
  const century = captureYear - (captureYear % 100);
  for (const first of [century, century - 100]) {
    const birthDate = makeDay(first + year, month, isFemale ? day - limits.female_day_offset : day);
    if (birthDate && birthDate <= captureDay) return { birthDate, sex: isFemale ? "female" : "male" };
  }
  return null;
}

/**
 * Return the digits of a NIK in groups of four, for reading aloud.
 * @param {string} digits
 */
export function groupNik(digits) {
  return digits.replace(/(.{4})(?=.)/gu, "$1 ");
}
