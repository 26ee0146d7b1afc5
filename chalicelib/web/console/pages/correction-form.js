// A correction of what was recorded. Nothing recorded is shown in its fields: only what is typed is changed.

import { h } from "../screens/elements.js";
import { getLanguage } from "../texts/language.js";
import { t, tOf } from "../texts/translate.js";
import { makeForm } from "./forms.js";

/**
 * What may be chosen. `sponsors` is null where the caller may not read the campaign.
 * @typedef {{occupations: import("./values.js").Occupation[], sponsors: {sponsor_id: string, name: string}[] | null}} Choices
 */

const NUMBERS = ["monthly_income", "months"];
const PROGRAMMES = ["JKK JKM", "JKK JKM JHT"];
const MONTHS = ["1", "2", "3", "6", "12"];
const NO_PHONE = "no_phone";
const YES = "yes";

/**
 * @param {any} registration
 * @param {Choices} choices
 * @param {(body: unknown) => Promise<void>} send
 */
export function makeCorrectionForm(registration, choices, send) {
  // Sent again with the same id after a failure, so that it is applied once.
  const correctionId = crypto.randomUUID();
  return makeForm(listFields(registration, choices), {
    submit: t("action.correct"),
    testid: "correction",
    intro: h("p", { class: "hint" }, t("correction.hint")),
    onSubmit: async ({ reason, phone_state: phoneState, occupations, second_occupation: second, ...values }) => {
      /** @type {Record<string, unknown>} */
      const fields = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, convert(name, value)]));
      if (phoneState === NO_PHONE) fields.phone = null;
      if (occupations || second) fields.occupations = [occupations, second].filter(Boolean);
      await send({ correction_id: correctionId, fields, reason: reason ?? "" });
    },
  });
}

/**
 * @param {any} registration
 * @param {Choices} choices
 * @returns {import("./forms.js").FieldSpec[]}
 */
function listFields({ coverage }, { occupations, sponsors }) {
  const language = getLanguage() === "en" ? "name_en" : "name";
  const trades = occupations.map((each) => /** @type {[string, string]} */ ([each.id, each[language]])).sort((one, other) => one[1].localeCompare(other[1]));
  const worker = t("registration.worker");
  const work = t("correction.work");
  const paid = t("registration.coverage");
  return [
    { name: "reason", label: t("correction.reason"), hint: t("correction.reason_hint"), attributes: { maxlength: 200 } },
    { group: worker, name: "phone", label: t("field.phone"), type: "tel" },
    { group: worker, name: "phone_state", label: t("correction.has_phone"), choices: [["", t("correction.phone_as_typed")], [NO_PHONE, t("registration.no_phone")]] },
    { group: worker, name: "name", label: t("field.name") },
    { group: worker, name: "nik", label: "NIK", attributes: { inputmode: "numeric", maxlength: 40 } },
    { group: worker, name: "birth_date", label: t("field.birth_date"), type: "date" },
    { group: worker, name: "email", label: t("field.email") },
    { group: worker, name: "address", label: t("field.address") },
    { group: worker, name: "postal_code", label: t("field.postal_code"), attributes: { inputmode: "numeric" } },
    { group: work, name: "occupations", label: t("field.occupations"), choices: keepOr(trades) },
    { group: work, name: "second_occupation", label: t("correction.second_occupation"), choices: [["", "–"], ...trades] },
    { group: work, name: "place", label: t("field.work_place") },
    { group: work, name: "monthly_income", label: t("field.monthly_income"), type: "number" },
    { group: work, name: "employs_others", label: t("field.employs_others"), choices: keepOr([[YES, t("values.yes")], ["no", t("values.no")]]) },
    { group: paid, name: "programmes", label: t("field.programmes"), choices: keepOr(PROGRAMMES.map((each) => [each, each.replaceAll(" ", ", ")]), coverage.programmes.join(", ")) },
    { group: paid, name: "months", label: t("field.months"), choices: keepOr(MONTHS.map((each) => [each, each]), coverage.months) },
    { group: paid, name: "payer", label: t("field.payer"), choices: keepOr(["self", "sponsor", "csr", "state_budget"].map((each) => [each, tOf("payer", each)]), tOf("payer", coverage.payer)) },
    sponsors
      ? { group: paid, name: "sponsor_id", label: t("field.sponsor"), choices: keepOr(sponsors.map((each) => [each.sponsor_id, each.name]), coverage.sponsor_id) }
      : { group: paid, name: "sponsor_id", label: t("field.sponsor_id") },
  ];
}

/**
 * Return choices after one that leaves everything as it is, which says how it is now.
 * @param {[string, string][]} choices
 * @param {string | number} [now]
 * @returns {[string, string][]}
 */
function keepOr(choices, now) {
  return [["", now ? t("correction.unchanged_now", { value: now }) : t("correction.unchanged")], ...choices];
}

/**
 * @param {string} name
 * @param {string} value
 */
function convert(name, value) {
  if (NUMBERS.includes(name)) return Number(value);
  if (name === "programmes") return value.split(" ");
  if (name === "employs_others") return value === YES;
  return value;
}
