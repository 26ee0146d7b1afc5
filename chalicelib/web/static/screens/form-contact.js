// The questions about how to reach the worker: phone and address.

import { t } from "../texts/translate.js";
import { field, h, textInput, tile } from "./elements.js";

/** @typedef {import("./form.js").FormContext} FormContext */
/** @typedef {import("./form.js").Question} Question */

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askPhone(form) {
  const { answers } = form;
  const input = textInput({ testid: "phone", type: "tel", inputmode: "tel", maxlength: 40, class: "digits", value: answers.phone });
  input.addEventListener("input", () => {
    answers.phone = input.value;
    form.change();
  });
  const phone = field(t("phone.label"), input, { hint: t("phone.hint") });
  const none = tile({ type: "checkbox", testid: "no-phone", checked: answers.phoneOwner === "none" }, form.t("phone.none"), form.t("phone.none_detail"));
  const relative = tile({ type: "checkbox", checked: answers.phoneOwner === "relative" }, t("phone.relative"), t("phone.relative_detail"));
  const note = h("p", { class: "notice", role: "status" });
  none.input.addEventListener("change", () => {
    answers.phoneOwner = none.input.checked ? "none" : "own";
    form.change();
  });
  relative.input.addEventListener("change", () => {
    answers.phoneOwner = relative.input.checked ? "relative" : "own";
    form.change();
  });
  return {
    id: "phone",
    title: t("phone.title"),
    element: h("div", {}, phone.element, h("div", { class: "tiles" }, none.element, relative.element), note),
    fields: { "worker.phone": phone },
    focus: () => input.focus(),
    summary: () => (answers.phoneOwner === "none" ? form.t("phone.none") : answers.phone.trim()),
    refresh: () => {
      const isNone = answers.phoneOwner === "none";
      phone.element.hidden = isNone;
      none.input.checked = isNone;
      relative.input.checked = answers.phoneOwner === "relative";
      note.hidden = answers.phoneOwner === "own";
      note.textContent = isNone ? form.t("phone.none_note") : t("phone.relative_note");
    },
  };
}

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askAddress(form) {
  const { answers } = form;
  const addressInput = textInput({ testid: "address", maxlength: 300, value: answers.address });
  const postalInput = textInput({ testid: "postal-code", inputmode: "numeric", maxlength: 10, class: "digits short", value: answers.postalCode });
  addressInput.addEventListener("input", () => {
    answers.address = addressInput.value;
    form.change();
  });
  postalInput.addEventListener("input", () => {
    answers.postalCode = postalInput.value;
    form.change();
  });
  const address = field(t("address.label"), addressInput);
  const postalCode = field(t("postal.label"), postalInput, { hint: t("postal.hint") });
  return {
    id: "address",
    title: t("address.title"),
    element: h("div", { class: "pair" }, address.element, postalCode.element),
    fields: { "worker.address": address, "worker.postal_code": postalCode },
    focus: () => addressInput.focus(),
    summary: () => [answers.address.trim(), answers.postalCode.trim()].filter(Boolean).join(", ") || t("review.none"),
  };
}
