// What may be done with a registration: an SMS once more, a correction, a cancellation, and what the core reports.

import { makePath } from "../scripts/addresses.js";
import { formatInstant } from "../rules/dates.js";
import { button, h } from "../screens/elements.js";
import { t, tOf } from "../texts/translate.js";
import { makeCorrectionForm } from "./correction-form.js";
import { makeDecision } from "./decision.js";
import { makeForm } from "./forms.js";
import { makeSection } from "./parts.js";

/** @typedef {import("../scripts/console.js").Console} Console */

const UNPAID = ["received", "awaiting_payment", "mismatch"];
/**
 * The SMS that may be sent again, and the event that each belongs to; the server judges if it is still true.
 * @type {[string, string][]}
 */
const PURPOSES = [["payment_code", "payment_code_issued"], ["active", "paid"], ["mismatch", "mismatched"], ["lapsing_soon", "lapsing_soon"], ["cancelled", "cancelled"]];
const CANCEL_REASONS = ["worker_request", "captured_by_mistake", "duplicate", "other"];

/**
 * @param {Console} console
 * @param {any} registration
 * @param {any[]} corrections
 * @param {import("./correction-form.js").Choices & {zone: string}} choices
 */
export function makeActions(console, registration, corrections, choices) {
  const { session, requests } = console;
  const isCore = session.hasRole("core");
  const path = makePath("registrations", registration.reference);
  const isUnpaid = UNPAID.includes(registration.status);
  /** @type {Send} */
  const send = async (method, rest, body) => {
    const answer = await requests.send(method, `${path}/${rest}`, body);
    await console.show(rest === "corrections" ? tOf("corrected", answer.correction.state) : tOf("done", rest));
  };
  /** @type {[string, string, () => HTMLElement][]} */
  const forms = [
    ["correct", t("action.correct"), () => makeCorrectionForm(registration, choices, (body) => send("POST", "corrections", body))],
  ];
  if (session.hasRole("manager")) forms.push(["sms", t("action.sms"), () => makeSmsForm(send, registration)]);
  if (isUnpaid || isCore) forms.push(["cancel", t(isUnpaid ? "action.cancel" : "action.deceased"), () => makeCancelForm(send, isCore, isUnpaid)]);
  if (isCore) forms.push(["code", t("action.code"), () => makeCodeForm(send, registration)], ["payment", t("action.payment"), () => makePaymentForm(send, registration, choices.zone)], ["verification", t("action.verification"), () => makeVerificationForm(send)]);
  const place = h("div", { class: "place" });
  const buttons = forms.map(([name, label, make]) =>
    button(label, () => {
      place.replaceChildren(make());
      /** @type {HTMLElement | null} */ (place.querySelector("input, select"))?.focus();
    }, { class: "button", testid: `action-${name}` }),
  );
  return makeSection(t("action.title"), makeOpenCorrection(console, registration.reference, corrections, choices.occupations), h("div", { class: "buttons" }, ...buttons), place);
}

/** @typedef {(method: string, rest: string, body: unknown) => Promise<void>} Send */

/**
 * @param {Send} send
 * @param {any} registration
 */
function makeSmsForm(send, { history, status }) {
  const events = history.map((/** @type {any} */ each) => each.event);
  const happened = PURPOSES.filter(([, event]) => events.includes(event)).map(([purpose]) => purpose);
  const purposes = [...(status === "received" ? ["received"] : []), ...happened.reverse(), "already_registered"];
  return makeForm([{ name: "purpose", label: t("action.which_sms"), choices: purposes.map((each) => [each, tOf("purpose", each)]), hint: t("action.sms_hint") }], {
    submit: t("action.sms"),
    testid: "sms-form",
    onSubmit: (values) => send("POST", "sms", values),
  });
}

/**
 * @param {Send} send
 * @param {boolean} isCore
 * @param {boolean} isUnpaid
 */
function makeCancelForm(send, isCore, isUnpaid) {
  const reasons = [...(isUnpaid ? CANCEL_REASONS : []), ...(isCore ? ["deceased"] : [])];
  return makeForm([{ name: "reason", label: t("action.why"), choices: reasons.map((each) => [each, tOf("cancel_reason", each)]), hint: t(isUnpaid ? "action.cancel_hint" : "action.deceased_hint") }], {
    submit: t(isUnpaid ? "action.cancel" : "action.deceased"),
    testid: "cancel-form",
    onSubmit: (values) => send("POST", "cancellation", values),
  });
}

/**
 * @param {Send} send
 * @param {any} registration
 */
function makeCodeForm(send, { quote }) {
  return makeForm(
    [
      { name: "code", label: t("field.code") },
      { name: "amount", label: t("field.amount"), type: "number", value: quote?.total },
      { name: "expires_on", label: t("field.expires_on"), type: "date" },
    ],
    { submit: t("action.code"), testid: "code-form", onSubmit: ({ amount, ...rest }) => send("PUT", "payment-code", { ...rest, amount: Number(amount) }) },
  );
}

/**
 * @param {Send} send
 * @param {any} registration
 * @param {string} zone
 */
function makePaymentForm(send, { quote, coverage }, zone) {
  const now = formatInstant(Date.now(), zone);
  return makeForm(
    [
      { name: "payment_id", label: t("field.payment_id"), hint: t("action.payment_hint") },
      { name: "amount", label: t("field.amount"), type: "number", value: quote?.total },
      { name: "months", label: t("field.months"), type: "number", value: coverage.months },
      { name: "paid_at", label: t("field.paid_at"), type: "datetime-local", value: now.slice(0, 16) },
      { name: "kpj", label: t("field.kpj"), attributes: { inputmode: "numeric" } },
    ],
    {
      submit: t("action.payment"),
      testid: "payment-form",
      // A time without seconds, in the zone of the registration.
      onSubmit: ({ amount, months, paid_at: paidAt, ...rest }) => send("POST", "payments", { ...rest, amount: Number(amount), months: Number(months), paid_at: paidAt && `${paidAt}:00${now.slice(-6)}` }),
    },
  );
}

/** @param {Send} send */
function makeVerificationForm(send) {
  return makeForm([{ name: "result", label: t("action.result"), choices: ["matched", "mismatch"].map((each) => [each, tOf("verification", each)]) }], {
    submit: t("action.verification"),
    testid: "verification-form",
    onSubmit: (values) => send("POST", "verification", values),
  });
}

/**
 * Return the correction that waits for a decision: the core decides on it, a manager sees that it waits.
 * @param {Console} console
 * @param {string} reference
 * @param {any[]} corrections
 * @param {import("./values.js").Occupation[]} occupations
 */
function makeOpenCorrection(console, reference, corrections, occupations) {
  const open = corrections.find((each) => each.state === "requested");
  if (open === undefined) return null;
  if (!console.session.hasRole("core")) return h("p", { class: "notice warn" }, t("action.waits_for_core"));
  return h("div", { class: "notice warn" }, h("p", {}, t("action.decide", { reason: open.reason })), makeDecision(console, reference, open, occupations));
}
