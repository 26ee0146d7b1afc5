// A worker's own phone: one registration by a link, with the answer that everybody gets.

import { findLocalDay } from "../rules/dates.js";
import { t } from "../texts/translate.js";
import { makeAnswers, readAnswers } from "./answers.js";
import { tFor } from "./audience.js";
import { button, h } from "./elements.js";
import { describeFailure } from "./failures.js";
import { makeReceipt, makeSlip } from "./receipt.js";
import { openOwnForm, makeWelcome } from "./unattended.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/app.js").Screen} Screen */

/** The receipt of the registration that was made on this page. @type {import("./receipt.js").Receipt | null} */
let made = null;

/**
 * The screen while a link is exchanged for the right to register once.
 * @param {App} app
 * @param {string} code
 * @returns {Screen}
 */
export function makeLinkScreen(app, code) {
  const message = h("p", { role: "status" }, t("self.opening"));
  const again = button(t("self.try_again"), () => void exchange(), { hidden: true });
  const exchange = async () => {
    message.textContent = t("self.opening");
    again.hidden = true;
    try {
      await app.device.session.enrol(code);
    } catch (error) {
      message.textContent = describeFailure(error, { isUnattended: true });
      again.hidden = false;
    }
  };
  return { name: "self-link", title: t("self.title"), element: h("div", { class: "card narrow" }, message, again), start: () => void exchange() };
}

/**
 * Return true once this phone has made its registration.
 * @param {App} app
 */
export function isMade({ counts }) {
  return made !== null || counts.unsent + counts.accepted > 0;
}

/**
 * @param {App} app
 * @returns {Screen}
 */
export function makeSelfScreen(app) {
  const status = h("p", { class: "below" }, h("a", { href: "#status" }, t("status.link")));
  return makeWelcome(app, { name: "self", title: t("self.title"), onBegin: () => app.run(openSelfForm(app)) }, status);
}

/**
 * Open the form: empty, or with the registration that the server refused. Raise NotReadable.
 * @param {App} app
 * @param {import("../scripts/types.js").CaptureSummary} [refused]
 */
async function openSelfForm(app, refused) {
  const { outbox } = app.device;
  const day = findLocalDay(Date.now(), app.bundle.campaign.zone);
  const answers = refused ? readAnswers(await outbox.read(refused.captureId), app.bundle, day) : makeAnswers(app.language);
  const captureId = refused?.captureId ?? outbox.newCaptureId();
  openOwnForm(app, answers, {
    ...(refused ? { notice: tFor({ isUnattended: true })("form.mending"), errors: refused.problem?.errors ?? [] } : {}),
    onLeave: () => app.open(null),
    onSave: async (content, quote) => {
      const saved = refused ? await outbox.mend(captureId, content) : await outbox.save(captureId, content);
      made = makeReceipt(saved, content, quote);
      app.open(null);
    },
  });
}

/**
 * The answer: the same whether or not the worker was known before.
 * @param {App} app
 * @returns {Screen}
 */
export function makeSelfDoneScreen(app) {
  const message = h("p", { class: "saved", role: "status" });
  const mend = h("div", { class: "buttons" });
  const element = h(
    "div",
    {},
    message,
    mend,
    made && app.bundle ? makeSlip(made, app.bundle) : null,
    h("p", { class: "below" }, h("a", { href: "#status" }, t("status.link"))),
  );
  return {
    name: "self-done",
    title: t("self.done_title"),
    element,
    update: async () => {
      const refused = (await app.device.outbox.list()).find((each) => each.state === "needs_fix");
      message.textContent = refused ? t("self.refused") : app.counts.unsent > 0 ? t("self.waiting") : t("self.accepted");
      message.className = refused ? "notice warn" : "saved";
      mend.replaceChildren(...(refused ? [button(t("queue.fix"), () => app.run(openSelfForm(app, refused)), { testid: "fix", class: "button main" })] : []));
    },
  };
}
