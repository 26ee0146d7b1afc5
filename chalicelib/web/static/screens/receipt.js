// What a worker takes home: on the screen to be photographed, or on the paper of a small printer.

import { findLocalDay, findLocalTime } from "../rules/dates.js";
import { maskName } from "../rules/names.js";
import { formatRupiah } from "../rules/rupiah.js";
import { makeShortCode } from "../rules/short-codes.js";
import { formatDay, t, tIn } from "../texts/translate.js";
import { button, h } from "./elements.js";
import { describeFailure } from "./failures.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/types.js").CaptureContent} CaptureContent */
/** @typedef {import("../scripts/types.js").CaptureSummary} CaptureSummary */

/**
 * What a receipt shows. The name is masked before it comes here.
 * @typedef {object} Receipt
 * @property {string} captureId
 * @property {string} capturedAt
 * @property {number | null} sequence
 * @property {string} maskedName
 * @property {string[]} programmes
 * @property {number} months
 * @property {number | null} total
 * @property {boolean} hasPhone
 * @property {"id" | "en"} language
 */

const WIDTHS = [58, 80];

/**
 * @param {CaptureSummary} capture
 * @param {CaptureContent} content
 * @param {import("../rules/quotes.js").Quote | null} quote
 * @returns {Receipt}
 */
export function makeReceipt({ captureId, capturedAt, sequence }, { worker, coverage }, quote) {
  return {
    captureId,
    capturedAt,
    sequence,
    maskedName: maskName(worker.name),
    programmes: coverage.programmes,
    months: coverage.months,
    total: quote ? quote.total : null,
    hasPhone: worker.phone !== null,
    language: worker.language === "en" ? "en" : "id",
  };
}

/**
 * Return the slip, in the worker's language.
 * @param {Receipt} receipt
 * @param {any} bundle
 * @param {string} [clientId]
 */
export function makeSlip(receipt, bundle, clientId) {
  const { campaign } = bundle;
  const of = receipt.language;
  const instant = Date.parse(receipt.capturedAt);
  const when = `${formatDay(findLocalDay(instant, campaign.zone), of)}, ${findLocalTime(instant, campaign.zone)}`;
  return h(
    "article",
    { class: "slip", lang: of },
    h("p", { class: "slip-brand" }, "BPJS Ketenagakerjaan"),
    h("p", { class: "slip-small" }, tIn(of, "receipt.not_health")),
    h("h2", {}, tIn(of, "receipt.title")),
    h("p", { class: "slip-small" }, campaign.name.includes(campaign.place) ? campaign.name : `${campaign.name}, ${campaign.place}`),
    h("p", { class: "slip-label" }, tIn(of, "receipt.code")),
    h("p", { class: "slip-code", testid: "saved-code", data: { captureId: receipt.captureId } }, makeShortCode(receipt.captureId)),
    h(
      "dl",
      {},
      ...makeRow(tIn(of, "receipt.name"), receipt.maskedName),
      ...makeRow(tIn(of, "receipt.when"), when),
      ...makeRow(tIn(of, "receipt.programmes"), receipt.programmes.join(" + ")),
      ...makeRow(tIn(of, "receipt.months"), tIn(of, "months.count", { months: receipt.months })),
      ...(receipt.total === null ? [] : makeRow(tIn(of, "receipt.total"), formatRupiah(receipt.total))),
    ),
    h("p", { class: "slip-warning" }, tIn(of, "receipt.not_protected")),
    h("p", {}, tIn(of, receipt.hasPhone ? "receipt.how_to_pay" : "receipt.how_to_pay_without_phone")),
    h("p", {}, tIn(of, "receipt.ask", { branch: campaign.branch })),
    h("p", { class: "slip-small" }, [clientId, receipt.sequence && `no. ${receipt.sequence}`].filter(Boolean).join(" · ")),
  );
}

/**
 * @param {string} label
 * @param {string} value
 */
function makeRow(label, value) {
  return [h("dt", {}, label), h("dd", {}, value)];
}

/** Return the buttons that print the slip on paper of each width. */
export function makePrintButtons() {
  const buttons = WIDTHS.map((width) =>
    button(t("receipt.print", { width }), () => {
      document.documentElement.dataset.paper = String(width);
      print();
    }),
  );
  return h("div", { class: "buttons no-print" }, ...buttons);
}

/**
 * Return what the server knows of a capture: its reference, its payment code, its SMS. It needs the network.
 * @param {App} app
 * @param {string} captureId
 */
export function makeServerNews(app, captureId) {
  const element = h("section", { class: "card news no-print", "aria-live": "polite", hidden: true });
  let loaded = "";
  return {
    element,
    async update() {
      const capture = (await app.device.outbox.list()).find((each) => each.captureId === captureId);
      if (!capture?.reference || capture.reference === loaded) return;
      loaded = capture.reference;
      element.hidden = false;
      const { reference } = capture;
      const payment = h("p", {}, t("news.no_payment_code"));
      element.replaceChildren(
        h("p", {}, `${t("news.reference")} `, h("strong", { class: "reference" }, reference)),
        payment,
        makeSmsButton(app, reference),
      );
      await showPaymentCode(app, reference, payment);
    },
  };
}

/**
 * @param {App} app
 * @param {string} reference
 * @param {HTMLElement} element
 */
async function showPaymentCode(app, reference, element) {
  try {
    const { payment_code: code } = await app.device.request("GET", `v1/registrations/${encodeURIComponent(reference)}`);
    if (!code) return;
    const values = { code: code.code, amount: formatRupiah(code.amount), day: formatDay(code.expires_on) };
    element.textContent = t("news.payment_code", values);
  } catch {
    // Without a network the text says that the code comes by SMS.
  }
}

/**
 * @param {App} app
 * @param {string} reference
 */
function makeSmsButton(app, reference) {
  const message = h("span", { role: "status" });
  const send = button(t("news.send_sms"), async () => {
    message.textContent = ` ${t("news.sending")}`;
    try {
      await app.device.request("POST", `v1/registrations/${encodeURIComponent(reference)}/sms`, { purpose: "received" });
      message.textContent = ` ${t("news.sent")}`;
    } catch (error) {
      message.textContent = ` ${describeFailure(error)}`;
    }
  });
  return h("p", {}, send, message);
}
