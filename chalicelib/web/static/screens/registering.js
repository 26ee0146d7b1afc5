// The screens of one registration by an officer: the form, then the receipt.

import { findLocalDay } from "../rules/dates.js";
import { t } from "../texts/translate.js";
import { makeAnswers, readAnswers } from "./answers.js";
import { button, h } from "./elements.js";
import { makeForm } from "./form.js";
import { makeQueue } from "./queue.js";
import { makePrintButtons, makeReceipt, makeServerNews, makeSlip } from "./receipt.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/app.js").MakeScreen} MakeScreen */
/** @typedef {import("../scripts/types.js").CaptureSummary} CaptureSummary */
/** @typedef {import("./receipt.js").Receipt} Receipt */

const DRAFT_PAUSE = 400;

/** The receipts of this page, by capture, with masked names. They are gone when the page is closed. @type {Map<string, Receipt>} */
const receipts = new Map();

/** Forget the receipts: another officer begins. */
export function forgetReceipts() {
  receipts.clear();
}

/**
 * Open an empty form, or a draft.
 * @param {App} app
 * @param {string} [draftId]
 */
export async function register(app, draftId) {
  const captureId = draftId ?? app.device.outbox.newCaptureId();
  const draft = draftId ? await app.device.outbox.readDraft(draftId) : null;
  const answers = { ...makeAnswers("id"), .../** @type {any} */ (draft ?? {}) };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const saveDraft = async () => {
    clearTimeout(timer);
    timer = undefined;
    if (app.device.shift.current?.locked === false) await app.device.outbox.saveDraft(captureId, answers);
  };
  openForm(app, answers, {
    onChange: () => {
      clearTimeout(timer);
      timer = setTimeout(() => void saveDraft().catch(() => undefined), DRAFT_PAUSE);
    },
    onLeave: async () => {
      // What was typed stays, as a draft in the list.
      if (timer !== undefined) await saveDraft().catch(() => undefined);
      app.open(null);
    },
    onSave: async (content, quote) => {
      clearTimeout(timer);
      timer = undefined;
      const saved = await app.device.outbox.save(captureId, content);
      showReceipt(app, saved, makeReceipt(saved, content, quote));
    },
  });
}

/**
 * Open the form with a capture that the server refused.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
export async function mend(app, capture) {
  const content = await app.device.outbox.read(capture.captureId);
  const day = findLocalDay(Date.parse(capture.capturedAt), app.bundle.campaign.zone);
  openForm(app, readAnswers(content, app.bundle, day), {
    notice: t("form.mending"),
    errors: capture.problem?.errors ?? [],
    onChange: () => undefined,
    onLeave: () => app.open(null),
    onSave: async (changed, quote) => {
      const saved = await app.device.outbox.mend(capture.captureId, { ...changed, work: { ...changed.work, place: content.work.place } });
      showReceipt(app, saved, makeReceipt(saved, changed, quote));
    },
  });
}

/**
 * @param {App} app
 * @param {import("./answers.js").Answers} answers
 * @param {Pick<import("./form.js").FormOptions, "onChange" | "onLeave" | "onSave" | "errors" | "notice">} options
 */
function openForm(app, answers, options) {
  const place = { position: 0 };
  app.open(() => {
    const form = makeForm({
      answers,
      place,
      bundle: app.bundle,
      isUnattended: false,
      findHeld: (nik) => app.device.outbox.holdsNik(nik),
      ...options,
    });
    return { name: "form", title: t("form.title"), isWide: true, ...form };
  });
}

/**
 * @param {App} app
 * @param {CaptureSummary} capture
 * @param {Receipt} receipt
 */
function showReceipt(app, capture, receipt) {
  receipts.set(capture.captureId, receipt);
  openReceipt(app, capture);
}

/**
 * Show the receipt of a capture. What this page has not made itself, it knows no name of.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
export function openReceipt(app, capture) {
  const receipt = receipts.get(capture.captureId);
  app.open(() => {
    const news = makeServerNews(app, capture.captureId);
    const queue = makeQueue(app, {
      onFix: (each) => void openCapture(app, each),
      onShow: (each) => openReceipt(app, each),
    });
    const slip = receipt ? makeSlip(receipt, app.bundle, app.device.session.device?.clientId) : h("p", { class: "notice" }, t("receipt.gone"));
    const element = h(
      "div",
      { class: "columns" },
      h(
        "div",
        {},
        receipt ? h("p", { class: "saved no-print", role: "status" }, t("receipt.saved")) : null,
        slip,
        h(
          "div",
          { class: "buttons no-print" },
          button(t("start.new"), () => void register(app), { testid: "new-registration", class: "button main" }),
          button(t("receipt.to_start"), () => app.open(null)),
        ),
        receipt ? makePrintButtons() : null,
      ),
      h("div", { class: "no-print" }, news.element, queue.element),
    );
    return {
      name: "receipt",
      title: t("receipt.heading"),
      isWide: true,
      element,
      update: async () => {
        await queue.update();
        await news.update();
      },
    };
  });
}

/**
 * Open a draft to go on with, or a refused capture to mend.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
export function openCapture(app, capture) {
  return capture.state === "draft" ? register(app, capture.captureId) : mend(app, capture);
}
