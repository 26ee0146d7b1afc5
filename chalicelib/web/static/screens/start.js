// The officer's start: the next registration, the outbox, and what else a shift needs.

import { t } from "../texts/translate.js";
import { button, h } from "./elements.js";
import { describePinFailure, makePinField } from "./sign-on.js";
import { makeQueue } from "./queue.js";
import { openCapture, openReceipt, register } from "./registering.js";

/** @typedef {import("../scripts/app.js").App} App */

/**
 * @param {App} app
 * @returns {import("../scripts/app.js").Screen}
 */
export function makeStartScreen(app) {
  const queue = makeQueue(app, {
    onFix: (capture) => openCapture(app, capture),
    onShow: (capture) => openReceipt(app, capture),
  });
  const next = button(t("start.new"), () => app.run(register(app)), { testid: "new-registration", class: "button main large" });
  const element = h(
    "div",
    { class: "columns" },
    h(
      "div",
      {},
      next,
      h("p", { class: "notice" }, t("start.not_health")),
      h("div", { class: "buttons" },
        button(t("close.open"), () => app.open(makeCloseScreen)),
        button(t("kiosk.open"), () => app.open(makeKioskStartScreen)),
      ),
    ),
    queue.element,
  );
  return {
    name: "start",
    title: app.bundle?.campaign.place ?? t("start.title"),
    isWide: true,
    element,
    update: () => {
      next.disabled = !app.bundle;
      return queue.update();
    },
  };
}

/**
 * The end of a shift: it says what the device still owes.
 * @param {App} app
 * @returns {import("../scripts/app.js").Screen}
 */
function makeCloseScreen(app) {
  const owed = h("p", { class: "notice", role: "status" });
  const detail = h("ul", {});
  const end = button(t("close.end"), () => app.run(app.device.shift.signOff()), { class: "button main" });
  return {
    name: "close",
    title: t("close.title"),
    element: h(
      "div",
      { class: "card narrow" },
      owed,
      detail,
      h("p", { class: "hint" }, t("close.hint")),
      h("div", { class: "buttons" }, button(t("queue.sync_now"), () => void app.device.sender.sendNow(), { testid: "sync-now" }), end, button(t("form.back"), () => app.open(null), { class: "button quiet" })),
    ),
    update: () => {
      const { draft, waiting, sending, needs_fix: refused, accepted, unsent } = app.counts;
      owed.className = unsent + draft > 0 ? "notice warn" : "notice good";
      owed.textContent = unsent + draft > 0 ? t("close.owed", { count: unsent + draft }) : t("close.nothing_owed", { count: accepted });
      const rows = [
        { key: "close.drafts", count: draft },
        { key: "close.waiting", count: waiting + sending },
        { key: "close.refused", count: refused },
      ];
      detail.replaceChildren(...rows.filter((row) => row.count > 0).map((row) => h("li", {}, t(row.key, { count: row.count }))));
    },
  };
}

/**
 * The start of kiosk mode, with the code that ends it.
 * @param {App} app
 * @returns {import("../scripts/app.js").Screen}
 */
function makeKioskStartScreen(app) {
  const code = makePinField(t("kiosk.code"), t("kiosk.code_hint"));
  const again = makePinField(t("kiosk.code_again"));
  const form = h(
    "form",
    { class: "card narrow", autocomplete: "off", novalidate: true },
    h("p", {}, t("kiosk.what")),
    code.element,
    again.element,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "button main" }, t("kiosk.start")), button(t("form.back"), () => app.open(null), { class: "button quiet" })),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    code.showError(null);
    again.showError(null);
    if (code.input.value !== again.input.value) return again.showError(t("kiosk.code_differs"));
    try {
      await app.device.kiosk.start(code.input.value);
    } catch (error) {
      code.showError(describePinFailure(error));
    }
  });
  return { name: "kiosk-start", title: t("kiosk.title"), element: form, start: () => code.input.focus() };
}
