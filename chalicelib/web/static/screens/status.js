// The state of a registration, for the worker: by reference and phone, without an account.

import { formatDay, t } from "../texts/translate.js";
import { button, field, h, textInput } from "./elements.js";
import { describeFailure } from "./failures.js";

/** @typedef {import("../scripts/app.js").App} App */

/**
 * @param {App} app
 * @returns {import("../scripts/app.js").Screen}
 */
export function makeStatusScreen(app) {
  const referenceInput = textInput({ class: "digits code", maxlength: 20, autocapitalize: "characters" });
  const reference = field(t("status.reference"), referenceInput, { hint: t("status.reference_hint") });
  const phoneInput = textInput({ type: "tel", inputmode: "tel", class: "digits", maxlength: 40 });
  const phone = field(t("status.phone"), phoneInput, { hint: t("status.phone_hint") });
  const answer = h("div", { role: "status" });
  const form = h(
    "form",
    { class: "card narrow", autocomplete: "off", novalidate: true },
    reference.element,
    phone.element,
    h("button", { type: "submit", class: "button main" }, t("status.ask")),
    answer,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    reference.showError(referenceInput.value.trim() ? null : t("status.missing"));
    phone.showError(phoneInput.value.trim() ? null : t("status.missing"));
    if (!referenceInput.value.trim() || !phoneInput.value.trim()) return;
    answer.replaceChildren(h("p", {}, t("status.asking")));
    try {
      const sent = { reference: referenceInput.value.trim(), phone: phoneInput.value.trim() };
      const { text, active_until: until } = await app.device.requestPublic("POST", "v1/statuses", sent);
      answer.replaceChildren(h("p", { class: "notice" }, text), until ? h("p", {}, t("status.until", { day: formatDay(until) })) : "");
    } catch (error) {
      answer.replaceChildren(h("p", { class: "error" }, describeFailure(error)));
    }
  });
  return {
    name: "status",
    title: t("status.title"),
    element: h("div", {}, form, h("p", { class: "below" }, button(t("status.leave"), () => (location.hash = ""), { class: "button quiet" }))),
    start: () => referenceInput.focus(),
  };
}
