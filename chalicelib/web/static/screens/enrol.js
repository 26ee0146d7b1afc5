// The first screen of a device: the one-time code that a manager made.

import { t } from "../texts/translate.js";
import { field, h, textInput } from "./elements.js";
import { describeFailure } from "./failures.js";

/** @typedef {import("../scripts/app.js").App} App */

/**
 * @param {App} app
 * @param {string} given The code of the link that opened the app.
 * @returns {import("../scripts/app.js").Screen}
 */
export function makeEnrolScreen(app, given) {
  const input = textInput({ testid: "enrol-code", class: "digits code", maxlength: 40, autocapitalize: "characters", value: given });
  const code = field(t("enrol.code"), input, { hint: t("enrol.hint") });
  const submit = h("button", { type: "submit", class: "button main", testid: "enrol-submit" }, t("enrol.submit"));
  const form = h(
    "form",
    { class: "card narrow", autocomplete: "off", novalidate: true },
    h("p", {}, t("enrol.what")),
    code.element,
    submit,
  );
  let isBusy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    if (!input.value.trim()) return code.showError(t("enrol.missing"));
    isBusy = true;
    code.showError(null);
    submit.textContent = t("enrol.busy");
    try {
      await app.device.session.enrol(input.value.trim());
    } catch (error) {
      code.showError(describeFailure(error));
      input.focus();
    } finally {
      isBusy = false;
      submit.textContent = t("enrol.submit");
    }
  });
  return {
    name: "enrol",
    title: t("enrol.title"),
    element: h("div", {}, form, h("p", { class: "below" }, h("a", { href: "#status" }, t("status.link")))),
    start: () => input.focus(),
  };
}
