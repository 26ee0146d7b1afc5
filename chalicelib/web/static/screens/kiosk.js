// Kiosk mode: nobody of ours is there. One person after the other, and nothing of the last one stays.

import { t } from "../texts/translate.js";
import { makeAnswers } from "./answers.js";
import { button, h } from "./elements.js";
import { makeReceipt, makeSlip } from "./receipt.js";
import { describePinFailure, makePinField } from "./sign-on.js";
import { makeWelcome, openOwnForm } from "./unattended.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/app.js").Screen} Screen */

const IDLE = 60_000;
const WARNING = 15_000;
const MINUTE = 60_000;

/** When the last captures were made at this kiosk. @type {number[]} */
let captureTimes = [];

/**
 * The first screen of a kiosk.
 * @param {App} app
 * @returns {Screen}
 */
export function makeKioskScreen(app) {
  const busy = h("p", { class: "notice warn", role: "status", hidden: true }, t("kiosk.busy"));
  const begin = () => {
    busy.hidden = mayCapture(app);
    if (mayCapture(app)) openKioskForm(app);
  };
  // The way out is a corner that a worker does not need, and it needs the code.
  const leave = button(t("kiosk.leave"), () => app.open(makeLeaveScreen), { class: "button quiet leave" });
  return makeWelcome(app, { name: "kiosk", title: t("kiosk.heading"), onBegin: begin }, busy, leave);
}

/**
 * Return true while the kiosk has not made too many captures within a minute. The server holds it to the same number.
 * @param {App} app
 */
function mayCapture({ bundle }) {
  captureTimes = captureTimes.filter((time) => Date.now() - time < MINUTE);
  return captureTimes.length < (bundle.limits.kiosk_captures_a_minute ?? Infinity);
}

/**
 * Make way for the next person: also the language is the usual one again.
 * @param {App} app
 */
function endPerson(app) {
  app.opened = null;
  app.chooseLanguage("id");
}

/** @param {App} app */
function openKioskForm(app) {
  const captureId = app.device.outbox.newCaptureId();
  openOwnForm(app, makeAnswers(app.language), {
    wrap: (screen) => withIdleReset(app, screen),
    onLeave: () => endPerson(app),
    onSave: async (content, quote) => {
      const saved = await app.device.outbox.save(captureId, content);
      captureTimes.push(Date.now());
      const receipt = makeReceipt(saved, content, quote);
      app.open(() => makeKioskReceiptScreen(app, receipt));
    },
  });
}

/**
 * @param {App} app
 * @param {import("./receipt.js").Receipt} receipt
 * @returns {Screen}
 */
function makeKioskReceiptScreen(app, receipt) {
  const element = h(
    "div",
    {},
    h("p", { class: "saved", role: "status" }, t("kiosk.saved")),
    makeSlip(receipt, app.bundle, app.device.session.device?.clientId),
    h("div", { class: "buttons" }, button(t("kiosk.done"), () => endPerson(app), { class: "button main large" })),
  );
  return withIdleReset(app, { name: "receipt", title: t("receipt.heading"), element });
}

/**
 * Return a screen that makes way for the first one when nobody has touched it for a minute.
 * @param {App} app
 * @param {Screen} screen
 * @returns {Screen}
 */
function withIdleReset(app, screen) {
  const warning = h("p", { class: "notice warn idle", role: "alert", hidden: true }, t("kiosk.idle"));
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];
  const restart = () => {
    timers.forEach(clearTimeout);
    warning.hidden = true;
    timers = [setTimeout(() => (warning.hidden = false), IDLE - WARNING), setTimeout(() => endPerson(app), IDLE)];
  };
  const events = ["pointerdown", "keydown", "input"];
  restart();
  events.forEach((name) => addEventListener(name, restart));
  return {
    ...screen,
    element: h("div", {}, warning, screen.element),
    stop: () => {
      timers.forEach(clearTimeout);
      events.forEach((name) => removeEventListener(name, restart));
      screen.stop?.();
    },
  };
}

/**
 * @param {App} app
 * @returns {Screen}
 */
function makeLeaveScreen(app) {
  const code = makePinField(t("kiosk.code"), t("kiosk.leave_hint"));
  const form = h(
    "form",
    { class: "card narrow", autocomplete: "off", novalidate: true },
    code.element,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "button main" }, t("kiosk.leave_now")), button(t("form.back"), () => app.open(null), { class: "button quiet" })),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    code.showError(null);
    try {
      await app.device.kiosk.leave(code.input.value);
      app.opened = null;
    } catch (error) {
      code.input.value = "";
      code.showError(describePinFailure(error));
    }
  });
  return withIdleReset(app, { name: "kiosk-leave", title: t("kiosk.leave"), element: form, start: () => code.input.focus() });
}
