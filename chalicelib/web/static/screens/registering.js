// The screens of one registration by an officer: the form, then the receipt.

import { findLocalDay } from "../rules/dates.js";
import { t } from "../texts/translate.js";
import { makeAnswers, readAnswers } from "./answers.js";
import { button, h } from "./elements.js";
import { DraftKeeper } from "./drafts.js";
import { openForm } from "./form-screen.js";
import { makeQueue } from "./queue.js";
import { makePrintButtons, makeReceipt, makeServerNews, makeSlip } from "./receipt.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/app.js").MakeScreen} MakeScreen */
/** @typedef {import("../scripts/types.js").CaptureSummary} CaptureSummary */
/** @typedef {import("./receipt.js").Receipt} Receipt */

/**
 * Open an empty form, or a draft. Raise NotReadable.
 * @param {App} app
 * @param {string} [draftId]
 */
export async function register(app, draftId) {
  const { outbox } = app.device;
  const captureId = draftId ?? outbox.newCaptureId();
  const draft = draftId ? await outbox.readDraft(draftId) : {};
  const answers = { ...makeAnswers("id"), .../** @type {any} */ (draft) };
  const keeper = new DraftKeeper(
    () => outbox.saveDraft(captureId, answers),
    () => void app.checkSpace(),
  );
  openForm(app, answers, {
    isUnattended: false,
    findHeld: (nik) => outbox.holdsNik(nik),
    onChange: () => keeper.change(),
    onPause: () => void keeper.flush(),
    onLeave: async () => {
      // What was typed stays, as a draft in the list.
      await keeper.flush();
      app.open(null);
    },
    onSave: async (content, quote) => {
      await keeper.stop();
      const saved = await outbox.save(captureId, content);
      showReceipt(app, saved, makeReceipt(saved, content, quote));
    },
  });
}

/**
 * Open the form with a capture that the server refused. Raise NotReadable.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
export async function mend(app, capture) {
  const { outbox } = app.device;
  const content = await outbox.read(capture.captureId);
  const day = findLocalDay(Date.parse(capture.capturedAt), app.bundle.campaign.zone);
  openForm(app, readAnswers(content, app.bundle, day), {
    isUnattended: false,
    findHeld: (nik) => outbox.holdsNik(nik),
    notice: t("form.mending"),
    errors: capture.problem?.errors ?? [],
    onChange: () => undefined,
    onLeave: () => app.open(null),
    onSave: async (changed, quote) => {
      const saved = await outbox.mend(capture.captureId, { ...changed, work: { ...changed.work, place: content.work.place } });
      showReceipt(app, saved, makeReceipt(saved, changed, quote));
    },
  });
}

/**
 * @param {App} app
 * @param {CaptureSummary} capture
 * @param {Receipt} receipt
 */
function showReceipt(app, capture, receipt) {
  app.receipts.set(capture.captureId, receipt);
  openReceipt(app, capture);
}

/**
 * Show the receipt of a capture. What this page has not made itself, it knows no name of.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
export function openReceipt(app, capture) {
  const receipt = app.receipts.get(capture.captureId);
  app.open(() => {
    const news = makeServerNews(app, capture.captureId);
    const queue = makeQueue(app, {
      onFix: (each) => openCapture(app, each),
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
          button(t("start.new"), () => app.run(register(app)), { testid: "new-registration", class: "button main" }),
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
