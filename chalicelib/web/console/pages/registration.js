// One registration: who, what stands recorded, what was sent, what happened, and what may be done now.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { formatRupiah } from "../rules/rupiah.js";
import { h } from "../screens/elements.js";
import { formatDay, formatMonth } from "../texts/language.js";
import { formatMoment, USUAL_ZONE } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";
import { makeFacts, makeLinksUp, makeSection, makeTable } from "./parts.js";
import { makeActions } from "./registration-actions.js";
import { nameField, nameOccupations } from "./values.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/**
 * @param {Console} console
 * @param {string} reference
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeRegistrationPage(console, reference) {
  const { requests, session } = console;
  const path = makePath("registrations", reference);
  const [registration, { sms }, occupations] = await Promise.all([requests.get(path), requests.get(`${path}/sms`), console.readOccupations()]);
  const { corrections } = hasCorrections(registration) ? await requests.get(`${path}/corrections`) : { corrections: [] };
  const campaignId = registration.campaign_id;
  // The core system may read the registration, and not its campaign.
  const campaign = session.hasRole("manager") ? await requests.get(makePath("campaigns", campaignId)) : null;
  const zone = campaign?.zone ?? USUAL_ZONE;
  return {
    title: t("registration.title", { reference: registration.reference }),
    above: makeLinksUp([["#/search", t("search.title")], ...(campaign ? /** @type {[string, string][]} */ ([[makeAddress("campaigns", campaignId), campaign.name]]) : [])]),
    element: h(
      "div",
      { class: "registration", testid: "registration-detail", data: { reference: registration.reference, status: registration.status } },
      makeHead(registration, zone),
      h("div", { class: "two" }, makeWorker(registration, occupations), makeCoverage(registration)),
      makeActions(console, registration, corrections, { occupations, sponsors: campaign?.sponsors ?? null, zone }),
      makeSms(sms, zone),
      corrections.length ? makeCorrections(corrections, zone) : null,
      makeHistory(registration, zone),
    ),
  };
}

/** @param {any} registration */
function hasCorrections({ history }) {
  return history.some((/** @type {any} */ each) => each.event.startsWith("correct"));
}

/**
 * @param {any} registration
 * @param {string} zone
 */
function makeHead({ status, verification, flags = [], active_until: activeUntil, captured_at: capturedAt, received_at: receivedAt, channel, history, follows }, zone) {
  const [first] = history;
  return h(
    "div",
    {},
    h(
      "p",
      { class: "standing" },
      h("span", { class: `badge ${status}` }, tOf("status", status)),
      h("span", {}, tOf("verification", verification)),
      activeUntil && h("span", {}, t("registration.active_until", { day: formatDay(activeUntil) })),
    ),
    flags.map((/** @type {string} */ flag) => h("p", { class: "notice warn" }, tOf("flag", flag))),
    makeFacts([
      [t("registration.captured"), formatMoment(capturedAt, zone)],
      [t("registration.received"), formatMoment(receivedAt, zone)],
      [t("registration.device"), `${first.client_id} (${tOf("channel", channel)})`],
      [t("registration.officer"), first.officer],
      [t("registration.follows"), follows && h("a", { href: makeAddress("registrations", follows) }, follows)],
    ]),
  );
}

/**
 * @param {any} registration
 * @param {import("./values.js").Occupation[]} occupations
 */
function makeWorker({ worker, work }, occupations) {
  return makeSection(
    t("registration.worker"),
    makeFacts([
      [t("field.name"), worker.name],
      ["NIK", worker.nik],
      [t("field.birth_date"), worker.birth_date && formatDay(worker.birth_date)],
      [t("field.phone"), worker.phone ?? t("registration.no_phone")],
      [t("field.address"), worker.address],
      [t("field.postal_code"), worker.postal_code],
      [t("field.email"), worker.email],
      [t("field.occupations"), nameOccupations(work.occupations, occupations)],
      [t("field.work_place"), work.place],
      [t("field.monthly_income"), work.monthly_income && formatRupiah(work.monthly_income)],
    ]),
    (worker.checks ?? []).map((/** @type {string} */ check) => h("p", { class: "soft" }, tOf("check", check))),
  );
}

/** @param {any} registration */
function makeCoverage({ coverage, quote, payment_code: code }) {
  const months = (quote?.months ?? []).map((/** @type {any} */ each) => [formatMonth(each.month), each.lines.map((/** @type {any} */ line) => `${line.programme} ${formatRupiah(line.amount)}`).join(", "), formatRupiah(each.amount)]);
  return makeSection(
    t("registration.coverage"),
    makeFacts([
      [t("field.programmes"), coverage.programmes.join(", ")],
      [t("field.months"), String(coverage.months)],
      [t("field.payer"), coverage.sponsor_id ? t("registration.sponsor", { sponsor: coverage.sponsor_id }) : tOf("payer", coverage.payer)],
      [t("registration.total"), quote && formatRupiah(quote.total)],
      [t("registration.code"), code && t("registration.code_value", { code: code.code, amount: formatRupiah(code.amount), day: formatDay(code.expires_on) })],
    ]),
    months.length ? makeTable(t("registration.quote"), [t("field.month"), t("registration.lines"), t("registration.amount")], months, { numbers: [2] }) : null,
  );
}

/**
 * @param {any[]} sms
 * @param {string} zone
 */
function makeSms(sms, zone) {
  const rows = sms.map((each) => [
    tOf("purpose", each.purpose),
    [
      h("span", { class: `badge sms-${each.state}`, testid: "sms", data: { purpose: each.purpose, state: each.state } }, tOf("sms_state", each.state)),
      each.reason && h("span", { class: "beneath", testid: "sms-reason" }, tOf("sms_reason", each.reason)),
    ],
    formatMoment(each.requested_at, zone),
  ]);
  return makeSection(
    t("registration.sms"),
    rows.length
      ? makeTable(t("registration.sms"), [t("sms.purpose"), t("sms.state"), t("sms.requested_at")], rows, { isCaptionHidden: true })
      : h("p", { class: "soft" }, t("sms.none")),
  );
}

/**
 * @param {any[]} corrections
 * @param {string} zone
 */
function makeCorrections(corrections, zone) {
  const rows = corrections.map((each) => [
    formatMoment(each.at, zone),
    each.fields.map(nameField).join(", "),
    h("span", { class: `badge correction-${each.state}`, testid: "correction", data: { state: each.state } }, tOf("correction_state", each.state)),
    each.reason,
    each.decided_by ? `${each.client_id}, ${each.decided_by}` : each.client_id,
  ]);
  const columns = [t("registration.when"), t("registration.fields"), t("sms.state"), t("registration.reason"), t("registration.by")];
  return makeSection(t("registration.corrections"), makeTable(t("registration.corrections"), columns, rows, { isCaptionHidden: true }));
}

/**
 * @param {any} registration
 * @param {string} zone
 */
function makeHistory({ history }, zone) {
  const rows = history.map((/** @type {any} */ each) => [
    formatMoment(each.at, zone),
    tOf("event", each.event),
    tOf("status", each.status),
    each.officer ? `${each.client_id}, ${each.officer}` : each.client_id,
    describeDetail(each.detail ?? {}),
  ]);
  const columns = [t("registration.when"), t("registration.event"), t("registration.status"), t("registration.by"), t("registration.detail")];
  return makeSection(t("registration.history"), makeTable(t("registration.history"), columns, rows, { isCaptionHidden: true }));
}

/** @param {Record<string, string | number>} detail */
function describeDetail(detail) {
  return Object.entries(detail)
    .map(([name, value]) => {
      if (name === "fields") return String(value).split(",").map(nameField).join(", ");
      if (name === "purpose") return tOf("purpose", String(value));
      if (name === "reason") return tOf("cancel_reason", String(value));
      return `${nameField(name)}: ${value}`;
    })
    .join("; ");
}
