// What may be done with a registration: an SMS once more, a correction, a cancellation, and what the core reports.

import { makePath } from "../scripts/addresses.js";
import { button, h } from "../screens/elements.js";
import { t, tOf } from "../texts/translate.js";
import { makeForm } from "./forms.js";
import { makeSection } from "./parts.js";
import { makeAction } from "./parts.js";
import { makeCorrectionForm } from "./correction-form.js";

/** @typedef {import("../scripts/console.js").Console} Console */

const UNPAID = ["received", "awaiting_payment", "mismatch"];
const PURPOSES = ["received", "payment_code", "active", "mismatch", "lapsing_soon", "already_registered"];
const CANCEL_REASONS = ["worker_request", "captured_by_mistake", "duplicate", "other"];

/**
 * @param {Console} console
 * @param {any} registration
 * @param {any[]} corrections
 */
export function makeActions(console, registration, corrections) {
  const { session, requests } = console;
  const isCore = session.hasRole("core");
  const path = makePath("registrations", registration.reference);
  const isUnpaid = UNPAID.includes(registration.status);
  const send = async (/** @type {string} */ method, /** @type {string} */ rest, /** @type {unknown} */ body) => {
    await requests.send(method, `${path}/${rest}`, body);
    await console.show();
  };
  /** @type {[string, string, () => HTMLElement][]} */
  const forms = [
    ["correct", t("action.correct"), () => makeCorrectionForm(registration, (body) => send("POST", "corrections", body))],
  ];
  if (session.hasRole("manager")) forms.push(["sms", t("action.sms"), () => makeSmsForm(send)]);
  if (isUnpaid || isCore) forms.push(["cancel", t("action.cancel"), () => makeCancelForm(send, isCore, isUnpaid)]);
  if (isCore) forms.push(["code", t("action.code"), () => makeCodeForm(send)], ["verification", t("action.verification"), () => makeVerificationForm(send)]);
  const place = h("div", { class: "place" });
  const buttons = forms.map(([name, label, make]) =>
    button(label, () => {
      place.replaceChildren(make());
      /** @type {HTMLElement | null} */ (place.querySelector("input, select"))?.focus();
    }, { class: "button", testid: `action-${name}` }),
  );
  return makeSection(t("action.title"), makeDecision(console, path, corrections), h("div", { class: "buttons" }, ...buttons), place);
}

/** @typedef {(method: string, rest: string, body: unknown) => Promise<void>} Send */

/** @param {Send} send */
function makeSmsForm(send) {
  return makeForm([{ name: "purpose", label: t("action.which_sms"), choices: PURPOSES.map((each) => [each, tOf("purpose", each)]), hint: t("action.sms_hint") }], {
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
  return makeForm([{ name: "reason", label: t("action.why"), choices: reasons.map((each) => [each, tOf("cancel_reason", each)]), hint: t("action.cancel_hint") }], {
    submit: t("action.cancel"),
    testid: "cancel-form",
    onSubmit: (values) => send("POST", "cancellation", values),
  });
}

/** @param {Send} send */
function makeCodeForm(send) {
  return makeForm(
    [
      { name: "code", label: t("field.code") },
      { name: "amount", label: t("field.amount"), type: "number" },
      { name: "expires_on", label: t("field.expires_on"), type: "date" },
    ],
    { submit: t("action.code"), testid: "code-form", onSubmit: ({ amount, ...rest }) => send("PUT", "payment-code", { ...rest, amount: Number(amount) }) },
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
 * Return the fields and values of what a correction asks for, whether they stand in groups or alone.
 * @param {Record<string, any>} wanted
 * @returns {[string, any][]}
 */
function listValues(wanted) {
  return Object.entries(wanted).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? listValues(value) : /** @type {[string, any][]} */ ([[name, value]]),
  );
}

/**
 * Return what the core decides on: a correction that waits, with the values that it asks for.
 * @param {Console} console
 * @param {string} path
 * @param {any[]} corrections
 */
function makeDecision(console, path, corrections) {
  const open = corrections.find((each) => each.state === "requested");
  if (open === undefined) return null;
  if (!console.session.hasRole("core")) return h("p", { class: "notice warn" }, t("action.waits_for_core"));
  const actions = ["confirmed", "declined"].map((decision) =>
    makeAction(tOf("decision", decision), async () => {
      await console.requests.send("POST", `${path}/corrections/${encodeURIComponent(open.correction_id)}/decision`, { decision });
      await console.show();
    }, { class: "button", testid: `decide-${decision}` }),
  );
  const wanted = listValues(open.wanted ?? {});
  return h(
    "div",
    { class: "notice warn" },
    h("p", {}, t("action.decide", { reason: open.reason })),
    h("dl", { class: "facts" }, ...wanted.map(([name, value]) => h("div", {}, h("dt", {}, tOf("field", name.split(".").at(-1) ?? name)), h("dd", {}, String(value ?? "–"))))),
    h("div", { class: "buttons" }, ...actions.map((each) => each.button)),
    ...actions.map((each) => each.outcome),
  );
}
