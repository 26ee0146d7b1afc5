// What a kiosk and a worker's own phone have in common: the welcome, and the form without an officer.

import { t } from "../texts/translate.js";
import { button, h } from "./elements.js";
import { openForm } from "./form-screen.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("./form.js").FormOptions} FormOptions */

/**
 * Return the screen on which a worker begins. A new release is put to use here: nobody has entered anything.
 * @param {App} app
 * @param {{name: string, title: string, onBegin: () => void}} options
 * @param {...HTMLElement} below
 * @returns {import("../scripts/app.js").Screen}
 */
export function makeWelcome(app, { name, title, onBegin }, ...below) {
  const begin = button(t("kiosk.begin"), onBegin, { testid: "new-registration", class: "button main large" });
  const element = h(
    "div",
    { class: "kiosk" },
    h("p", { class: "lead" }, t("kiosk.welcome")),
    h("p", { class: "notice" }, t("start.not_health")),
    h("ul", {}, h("li", {}, t("kiosk.need_card")), h("li", {}, t("kiosk.need_phone")), h("li", {}, t("kiosk.need_minutes"))),
    begin,
    ...below,
  );
  return {
    name,
    title,
    element,
    update: () => {
      begin.disabled = !app.bundle;
      app.device.update.apply();
    },
  };
}

/**
 * Open the form for a worker alone. Whether somebody was here before is nobody's business, and no draft is kept.
 * @param {App} app
 * @param {import("./answers.js").Answers} answers
 * @param {Pick<FormOptions, "onLeave" | "onSave" | "errors" | "notice"> & {wrap?: (screen: import("../scripts/app.js").Screen) => import("../scripts/app.js").Screen}} options
 */
export function openOwnForm(app, answers, options) {
  openForm(app, answers, { isUnattended: true, findHeld: async () => null, onChange: () => undefined, ...options });
}
