// A correction of what was recorded. Nothing recorded is shown in its fields: only what is typed is changed.

import { h } from "../screens/elements.js";
import { t, tOf } from "../texts/translate.js";
import { makeForm } from "./forms.js";

const NUMBERS = ["monthly_income", "months"];
const LISTS = ["programmes", "occupations"];
const NO_PHONE = "no_phone";

/**
 * @param {any} registration
 * @param {(body: unknown) => Promise<void>} send
 */
export function makeCorrectionForm(registration, send) {
  // Sent again with the same id after a failure, so that it is applied once.
  const correctionId = crypto.randomUUID();
  return makeForm(listFields(registration), {
    submit: t("action.correct"),
    testid: "correction",
    extra: h("p", { class: "hint" }, t("correction.hint")),
    onSubmit: async ({ reason, phone_state: phoneState, ...values }) => {
      /** @type {Record<string, unknown>} */
      const fields = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, convert(name, value)]));
      if (phoneState === NO_PHONE) fields.phone = null;
      await send({ correction_id: correctionId, fields, reason: reason ?? "" });
    },
  });
}

/**
 * @param {any} registration
 * @returns {import("./forms.js").FieldSpec[]}
 */
function listFields({ coverage }) {
  return [
    { name: "reason", label: t("correction.reason"), hint: t("correction.reason_hint"), attributes: { maxlength: 200 } },
    { name: "phone", label: t("field.phone"), type: "tel" },
    { name: "phone_state", label: t("correction.has_phone"), choices: [["", t("correction.phone_as_typed")], [NO_PHONE, t("registration.no_phone")]] },
    { name: "name", label: t("field.name") },
    { name: "birth_date", label: t("field.birth_date"), type: "date" },
    { name: "nik", label: "NIK", attributes: { inputmode: "numeric", maxlength: 40 } },
    { name: "address", label: t("field.address") },
    { name: "postal_code", label: t("field.postal_code"), attributes: { inputmode: "numeric" } },
    { name: "monthly_income", label: t("field.monthly_income"), type: "number" },
    { name: "programmes", label: t("field.programmes"), hint: t("correction.now", { value: coverage.programmes.join(", ") }) },
    { name: "months", label: t("field.months"), type: "number", hint: t("correction.now", { value: coverage.months }) },
    { name: "payer", label: t("field.payer"), choices: [["", t("correction.unchanged")], ...["self", "sponsor"].map((each) => /** @type {[string, string]} */ ([each, tOf("payer", each)]))] },
    { name: "sponsor_id", label: t("field.sponsor_id") },
  ];
}

/**
 * @param {string} name
 * @param {string} value
 */
function convert(name, value) {
  if (NUMBERS.includes(name)) return Number(value);
  if (LISTS.includes(name)) return value.split(/[\s,]+/).filter(Boolean);
  return value;
}
