// The rules of intake for a whole capture, as chalicelib/registrations/rules.py has them, with the limits of
// the bundle. What is refused here would be refused by the server, with the same code for the same field.

import { computeAge, findLocalDay, isDay } from "./dates.js";
import { parseName } from "./names.js";
import { parseNik } from "./nik.js";
import { parsePhone } from "./phone.js";
import { computeQuote, findFirstMonth } from "./quotes.js";
import { cleanNumber, cleanText, countDigits, findTextProblem, isFromSpreadsheet } from "./typed.js";

/**
 * @typedef {{field: string, code: string, digits?: number}} Finding
 *
 * @typedef {object} FieldLimits
 * @property {boolean} required
 * @property {string} type
 * @property {boolean} [nullable]
 * @property {number} [min_length]
 * @property {number} [max_length]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [min_items]
 * @property {number} [max_items]
 * @property {boolean} [unique_items]
 * @property {string} [pattern]
 * @property {(string | number)[]} [choices]
 */

const POSTAL_CODE_DIGITS = 5;

/**
 * Return the rules that a capture breaks, and the doubts about it, which refuse nothing.
 * @param {any} capture A registration as it is sent.
 * @param {any} bundle
 * @param {number} now
 * @returns {{errors: Finding[], warnings: Finding[]}}
 */
export function checkCapture(capture, bundle, now) {
  const shapeErrors = checkShapes(capture, bundle.limits.fields);
  const malformed = shapeErrors.map((error) => error.field);
  const capturedAt = Date.parse(capture.captured_at);
  /** @param {string} field */
  const isGood = (field) => !malformed.some((each) => isWithin(field, each));
  const rules = [
    ...checkWorker(capture.worker, bundle.limits, findLocalDay(capturedAt, bundle.campaign.zone)),
    ...checkChoices(capture, bundle),
    ...checkTexts(capture),
    ...checkTimes(capture, bundle, now),
  ].filter((error) => isGood(error.field));
  const errors = [...shapeErrors, ...rules];
  return { errors, warnings: listDoubts(capture.worker, bundle, capture.captured_at.slice(0, 10), errors) };
}

/**
 * Return whether a path is that of a field, or of a part of it: `work.occupations.1` is within `work.occupations`.
 * @param {string} path
 * @param {string} field
 */
export function isWithin(path, field) {
  return path === field || path.startsWith(`${field}.`);
}

/**
 * @param {any} capture
 * @param {Record<string, FieldLimits>} fields
 * @returns {Finding[]}
 */
export function checkShapes(capture, fields) {
  return Object.entries(fields).flatMap(([field, limits]) => {
    const value = field.split(".").reduce((group, name) => group?.[name], capture);
    const code = findShapeProblem(field, value, limits);
    return code ? [{ field, code }] : [];
  });
}

/**
 * @param {string} field
 * @param {any} value
 * @param {FieldLimits} limits
 */
function findShapeProblem(field, value, limits) {
  if (value === undefined) return limits.required ? "field_missing" : null;
  if (value === null) return limits.nullable ? null : "value_wrong_type";
  if (limits.type === "array") return findListProblem(value, limits);
  if (limits.choices && !limits.choices.includes(value)) return "value_not_allowed";
  if (limits.type === "integer") {
    const isInside = value >= (limits.minimum ?? -Infinity) && value <= (limits.maximum ?? Infinity);
    return isInside ? null : "value_out_of_range";
  }
  if (field === "worker.birth_date" && !isDay(value)) return "value_malformed";
  return limits.type === "string" ? findLengthProblem(value, limits) : null;
}

/**
 * @param {any[]} items
 * @param {FieldLimits} limits
 */
function findListProblem(items, limits) {
  if (items.length < (limits.min_items ?? 0)) return "value_too_short";
  if (items.length > (limits.max_items ?? Infinity)) return "value_too_long";
  return null;
}

/**
 * @param {string} text
 * @param {FieldLimits} limits
 */
function findLengthProblem(text, limits) {
  const length = [...text].length;
  if (length < (limits.min_length ?? 0)) return "value_too_short";
  if (length > (limits.max_length ?? Infinity)) return "value_too_long";
  return limits.pattern && !new RegExp(limits.pattern, "u").test(text) ? "value_malformed" : null;
}

/**
 * @param {any} worker
 * @param {any} limits
 * @param {string} day The local day of capture in the campaign's zone.
 * @returns {Finding[]}
 */
function checkWorker(worker, limits, day) {
  return [
    .../** @type {Finding[]} */ (findProblems("worker.nik", parseNik(worker.nik, day, limits.nik))),
    ...findProblems("worker.name", parseName(worker.name, limits.name_punctuation)),
    ...(worker.phone === null ? [] : findProblems("worker.phone", parsePhone(worker.phone, limits.phone))),
    ...checkAge(worker.birth_date, day, limits.age),
    ...(worker.postal_code === null ? [] : checkPostalCode(worker.postal_code, limits.postal_code_pattern)),
  ];
}

/**
 * @param {string} field
 * @param {any} result
 * @returns {Finding[]}
 */
function findProblems(field, result) {
  return "code" in result ? [{ field, ...result }] : [];
}

/**
 * Return the rule of age that a birth date breaks on a day.
 * @param {string} birthDate
 * @param {string} day
 * @param {{minimum: number, below: number}} limits
 * @returns {Finding[]}
 */
export function checkAge(birthDate, day, limits) {
  const age = computeAge(day, birthDate);
  if (age < limits.minimum) return [{ field: "worker.birth_date", code: "age_too_young" }];
  return age >= limits.below ? [{ field: "worker.birth_date", code: "age_too_old" }] : [];
}

/**
 * @param {string} typed
 * @param {string} pattern
 * @returns {Finding[]}
 */
function checkPostalCode(typed, pattern) {
  const field = "worker.postal_code";
  const cleaned = cleanNumber(typed);
  if (isFromSpreadsheet(cleaned)) return [{ field, code: "number_from_spreadsheet" }];
  if (new RegExp(pattern).test(cleaned)) return [];
  const digits = countDigits(cleaned);
  return [{ field, code: "postal_code_malformed", ...(digits === POSTAL_CODE_DIGITS ? {} : { digits }) }];
}

/**
 * @param {any} capture
 * @param {any} bundle
 * @returns {Finding[]}
 */
function checkChoices({ work, coverage }, bundle) {
  const { offered, required_of_employers: required } = bundle.programmes;
  /** @type {Finding[]} */
  const errors = [];
  const chosen = new Set(coverage.programmes);
  const isOffered = offered.some(
    (/** @type {string[]} */ each) => each.length === chosen.size && each.every((programme) => chosen.has(programme)),
  );
  if (!isOffered || chosen.size !== coverage.programmes.length) {
    errors.push({ field: "coverage.programmes", code: "programmes_not_offered" });
  } else if (work.employs_others && !required.every((/** @type {string} */ each) => chosen.has(each))) {
    errors.push({ field: "coverage.programmes", code: "jht_required" });
  }
  work.occupations.forEach((/** @type {string} */ occupation, /** @type {number} */ position) => {
    const field = `work.occupations.${position}`;
    if (work.occupations.indexOf(occupation) < position) errors.push({ field, code: "value_repeated" });
    const isKnown = bundle.occupations.some((/** @type {{id: string}} */ each) => each.id === occupation);
    if (!isKnown) errors.push({ field, code: "occupation_unknown" });
  });
  return [...errors, ...checkSponsor(coverage, bundle.sponsors ?? [])];
}

/**
 * @param {{payer: string, sponsor_id?: string | null}} coverage
 * @param {{sponsor_id: string}[]} sponsors
 * @returns {Finding[]}
 */
function checkSponsor(coverage, sponsors) {
  const field = "coverage.sponsor_id";
  if (coverage.sponsor_id === undefined || coverage.sponsor_id === null) return [];
  if (coverage.payer !== "sponsor") return [{ field, code: "sponsor_not_payer" }];
  return sponsors.some((each) => each.sponsor_id === coverage.sponsor_id) ? [] : [{ field, code: "sponsor_unknown" }];
}

/**
 * @param {any} capture
 * @returns {Finding[]}
 */
function checkTexts({ worker, work, consent }) {
  const texts = {
    "worker.address": worker.address,
    "work.place": work.place,
    "consent.text_version": consent.text_version,
  };
  return Object.entries(texts).flatMap(([field, text]) => {
    const code = typeof text === "string" ? findTextProblem(cleanText(text)) : null;
    return code ? [{ field, code }] : [];
  });
}

/**
 * @param {any} capture
 * @param {any} bundle
 * @param {number} now
 * @returns {Finding[]}
 */
function checkTimes(capture, bundle, now) {
  const { campaign, limits } = bundle;
  const latest = now + limits.clock_skew_seconds * 1000;
  const capturedAt = Date.parse(capture.captured_at);
  const givenAt = Date.parse(capture.consent.given_at);
  const day = findLocalDay(capturedAt, campaign.zone);
  /** @type {Finding[]} */
  const errors = [];
  if (capturedAt > latest) errors.push({ field: "captured_at", code: "captured_in_future" });
  if (day < campaign.first_day || day > campaign.last_day) {
    errors.push({ field: "captured_at", code: "captured_outside_campaign" });
  }
  if (findLocalDay(now, campaign.zone) > campaign.accepts_until) {
    errors.push({ field: "campaign_id", code: "campaign_closed" });
  }
  const request = { ...capture.work, ...capture.coverage };
  const isPriced = computeQuote(bundle, { ...request, occupations: [bundle.occupations[0].id] }, findFirstMonth(bundle, capturedAt));
  if (!isPriced) errors.push({ field: "captured_at", code: "month_without_rule" });
  if (givenAt > latest) errors.push({ field: "consent.given_at", code: "consent_in_future" });
  else if (capture.consent.given_at.slice(0, 10) < limits.consent_first_day) {
    errors.push({ field: "consent.given_at", code: "consent_too_old" });
  }
  return errors;
}

/**
 * @param {any} worker
 * @param {any} bundle
 * @param {string} captureDay
 * @param {Finding[]} errors
 * @returns {Finding[]}
 */
function listDoubts(worker, bundle, captureDay, errors) {
  const broken = new Set(errors.map((error) => error.field));
  const nik = parseNik(worker.nik, captureDay, bundle.limits.nik);
  if ("code" in nik || broken.has("worker.nik")) return [];
  /** @type {Finding[]} */
  const doubts = [];
  if (!broken.has("worker.birth_date") && worker.birth_date !== nik.birthDate) {
    doubts.push({ field: "worker.birth_date", code: "birth_date_differs_from_nik" });
  }
  if (!nik.hasValidPlaceCode) doubts.push({ field: "worker.nik", code: "nik_place_unknown" });
  return doubts;
}
