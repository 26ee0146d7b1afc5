// What was entered into the form so far, and the capture that it makes. Pure.

import { checkCapture, isWithin } from "../rules/captures.js";
import { findLocalDay, formatInstant, isDay, makeDay } from "../rules/dates.js";
import { parseNik } from "../rules/nik.js";

/** @typedef {import("../scripts/types.js").CaptureContent} CaptureContent */
/** @typedef {import("../rules/captures.js").Finding} Finding */

// Stands for the id of a capture that is not made yet.
const EMPTY_ID = "00000000-0000-7000-8000-000000000000";

/**
 * @typedef {object} Answers
 * @property {string} nik
 * @property {boolean} isBirthDateOther Whether the identity card has another birth date than the NIK.
 * @property {{day: string, month: string, year: string}} birthDate
 * @property {string} nikAgain
 * @property {string} name
 * @property {"own" | "relative" | "none"} phoneOwner
 * @property {string} phone
 * @property {string} address
 * @property {string} postalCode
 * @property {string} occupation
 * @property {string} secondOccupation
 * @property {boolean} employsOthers
 * @property {number | null} income
 * @property {boolean} hasJht
 * @property {number} months
 * @property {string} payer
 * @property {string} sponsorId
 * @property {string | null} consentGivenAt
 * @property {string} consentVersion Of the text that was shown.
 * @property {"id" | "en"} language
 */

/**
 * Return the answers of an empty form.
 * @param {"id" | "en"} language Of the worker.
 * @returns {Answers}
 */
export function makeAnswers(language) {
  return {
    nik: "",
    isBirthDateOther: false,
    birthDate: { day: "", month: "", year: "" },
    nikAgain: "",
    name: "",
    phoneOwner: "own",
    phone: "",
    address: "",
    postalCode: "",
    occupation: "",
    secondOccupation: "",
    employsOthers: false,
    income: null,
    hasJht: false,
    months: 1,
    payer: "self",
    sponsorId: "",
    consentGivenAt: null,
    consentVersion: "",
    language,
  };
}

/**
 * Return the answers from which a capture was made, to mend it.
 * @param {CaptureContent} content
 * @param {any} bundle
 * @param {string} day
 * @returns {Answers}
 */
export function readAnswers({ worker, work, coverage, consent }, bundle, day) {
  const nik = parseNik(worker.nik, day, bundle.limits.nik);
  const [year, month, dayOfMonth] = worker.birth_date.split("-");
  return {
    nik: worker.nik,
    isBirthDateOther: !("birthDate" in nik) || nik.birthDate !== worker.birth_date,
    birthDate: { day: String(Number(dayOfMonth)), month: String(Number(month)), year },
    nikAgain: worker.nik,
    name: worker.name,
    phoneOwner: worker.phone === null ? "none" : "own",
    phone: worker.phone ?? "",
    address: worker.address ?? "",
    postalCode: worker.postal_code ?? "",
    occupation: work.occupations[0] ?? "",
    secondOccupation: work.occupations[1] ?? "",
    employsOthers: work.employs_others,
    income: work.monthly_income,
    hasJht: coverage.programmes.includes("JHT"),
    months: coverage.months,
    payer: coverage.payer,
    sponsorId: coverage.sponsor_id ?? "",
    consentGivenAt: consent.given_at,
    consentVersion: consent.text_version,
    language: worker.language === "en" ? "en" : "id",
  };
}

/**
 * Return the birth date on the identity card, or an empty text while there is none.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {string} day
 */
export function findBirthDate({ nik, isBirthDateOther, birthDate }, bundle, day) {
  if (isBirthDateOther) {
    return makeDay(Number(birthDate.year), Number(birthDate.month), Number(birthDate.day)) ?? "";
  }
  const parsed = parseNik(nik, day, bundle.limits.nik);
  return "birthDate" in parsed ? parsed.birthDate : "";
}

/**
 * Return the programmes that were chosen.
 * @param {Answers} answers
 * @param {any} bundle
 * @returns {string[]}
 */
export function listProgrammes({ hasJht, employsOthers }, bundle) {
  const { offered, required_of_employers: required } = bundle.programmes;
  const wanted = hasJht || (employsOthers && required.includes("JHT"));
  return offered.find((/** @type {string[]} */ each) => each.includes("JHT") === wanted) ?? offered[0];
}

/**
 * Return the capture that the answers make.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {string} day
 * @returns {CaptureContent}
 */
export function makeContent(answers, bundle, day) {
  const occupations = [answers.occupation, answers.secondOccupation].filter(Boolean);
  /** @type {import("../scripts/types.js").CoverageFields} */
  const coverage = { programmes: listProgrammes(answers, bundle), months: answers.months, payer: answers.payer };
  if (answers.payer === "sponsor" && answers.sponsorId) coverage.sponsor_id = answers.sponsorId;
  return {
    worker: {
      nik: answers.nik.trim(),
      name: answers.name.trim(),
      birth_date: findBirthDate(answers, bundle, day),
      phone: answers.phoneOwner === "none" ? null : answers.phone.trim(),
      address: answers.address.trim() || null,
      postal_code: answers.postalCode.trim() || null,
      language: answers.language,
    },
    work: {
      occupations,
      place: bundle.campaign.place,
      monthly_income: answers.income ?? 0,
      employs_others: answers.employsOthers,
    },
    coverage,
    consent: {
      text_version: answers.consentVersion || bundle.consent_texts[0].version,
      given_at: answers.consentGivenAt ?? "",
      method: "tick",
      language: answers.language,
    },
  };
}

/**
 * Return what is wrong with the answers, by the rules of intake and those of the form alone.
 *
 * What only the day or the campaign is to blame for is left out: the server knows them better.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {number} now
 * @returns {Finding[]}
 */
export function listErrors(answers, bundle, now) {
  const day = findLocalDay(now, bundle.campaign.zone);
  const missing = listMissing(answers, bundle, day);
  const capture = {
    capture_id: EMPTY_ID,
    campaign_id: bundle.campaign.campaign_id,
    captured_at: formatInstant(now, bundle.campaign.zone),
    ...makeContent({ ...answers, consentGivenAt: answers.consentGivenAt ?? formatInstant(now, bundle.campaign.zone) }, bundle, day),
  };
  const { errors } = checkCapture(capture, bundle, now);
  const broken = errors.filter(({ field }) => isOfForm(field) && !missing.some((each) => isWithin(field, each.field)));
  const isNikBroken = [...missing, ...broken].some((each) => each.field === "worker.nik");
  const found = [...missing, ...broken].filter(
    (each) => !(isNikBroken && each.field === "worker.birth_date" && !answers.isBirthDateOther),
  );
  if (!isNikBroken && isSecondEntryWrong(answers, bundle, day)) {
    found.push({ field: "worker.nik_again", code: answers.nikAgain ? "nik_again_differs" : "field_missing" });
  }
  return found;
}

/** @param {string} field */
function isOfForm(field) {
  return /^(worker|work|coverage)\./.test(field);
}

/**
 * Return true where the card's birth date is not the one in the NIK, and the NIK was not typed twice alike.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {string} day
 */
function isSecondEntryWrong(answers, bundle, day) {
  if (!isSecondEntryNeeded(answers, bundle, day)) return false;
  return answers.nik.replace(/\D/g, "") !== answers.nikAgain.replace(/\D/g, "");
}

/**
 * Return true where the card's birth date is not the one in the NIK: one of them may be mistyped.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {string} day
 */
export function isSecondEntryNeeded(answers, bundle, day) {
  const nik = parseNik(answers.nik, day, bundle.limits.nik);
  const birthDate = findBirthDate(answers, bundle, day);
  return answers.isBirthDateOther && "birthDate" in nik && isDay(birthDate) && birthDate !== nik.birthDate;
}

/**
 * Return what has not been entered yet.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {string} day
 * @returns {Finding[]}
 */
function listMissing(answers, bundle, day) {
  /** @type {Record<string, boolean>} */
  const missing = {
    "worker.nik": !answers.nik.trim(),
    "worker.birth_date": answers.isBirthDateOther && !isDay(findBirthDate(answers, bundle, day)),
    "worker.name": !answers.name.trim(),
    "worker.phone": answers.phoneOwner !== "none" && !answers.phone.trim(),
    "work.occupations": !answers.occupation,
    "work.monthly_income": answers.income === null,
    "consent.given_at": answers.consentGivenAt === null,
  };
  return Object.keys(missing).flatMap((name) => (missing[name] ? [{ field: name, code: "field_missing" }] : []));
}
