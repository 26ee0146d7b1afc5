// The consent, read out or shown in the worker's language, and the review of all answers.

import { formatInstant } from "../rules/dates.js";
import { t } from "../texts/translate.js";
import { button, choiceGroup, h, makeId, tile } from "./elements.js";

/** @typedef {import("./form.js").FormContext} FormContext */
/** @typedef {import("./form.js").Question} Question */

const LANGUAGES = /** @type {const} */ (["id", "en"]);

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askConsent(form) {
  const { answers, bundle } = form;
  const name = makeId();
  const heading = h("p", { class: "hint" });
  const words = h("blockquote", { class: "consent", tabindex: "0", role: "region", "aria-label": t("consent.text_label") });
  const languages = LANGUAGES.map((language) => {
    const option = tile({ type: "radio", name, checked: language === answers.language }, { id: "Indonesia", en: "English" }[language]);
    option.input.addEventListener("change", () => {
      setLanguage(answers, language);
      form.change();
    });
    return option.element;
  });
  const tick = tile({ type: "checkbox", testid: "consent", checked: answers.consentGivenAt !== null }, form.t("consent.tick"), t("consent.tick_detail"));
  const group = choiceGroup(t("consent.title"), [tick.element], { isLegendHidden: true });
  tick.input.addEventListener("change", () => {
    answers.consentGivenAt = tick.input.checked ? formatInstant(form.now(), bundle.campaign.zone) : null;
    answers.consentVersion = tick.input.checked ? bundle.consent_texts[0].version : "";
    form.change();
  });
  return {
    id: "consent",
    title: t("consent.title"),
    element: h(
      "div",
      {},
      form.isUnattended ? null : choiceGroup(t("consent.language"), [h("div", { class: "tiles narrow" }, ...languages)]).element,
      heading,
      words,
      h("p", { class: "notice" }, t("consent.not_health")),
      group.element,
    ),
    fields: { "consent.given_at": group },
    focus: () => tick.input.focus(),
    refresh: () => {
      const shown = findText(bundle, answers.consentVersion);
      heading.textContent = form.t("consent.version", { version: shown.version });
      words.textContent = shown.text[answers.language];
      words.lang = answers.language;
      tick.input.checked = answers.consentGivenAt !== null;
    },
  };
}

/**
 * Have the consent be in another language. One that was given to another text is asked for again.
 * @param {import("./answers.js").Answers} answers
 * @param {"id" | "en"} language
 */
export function setLanguage(answers, language) {
  if (answers.language === language) return;
  Object.assign(answers, { language, consentGivenAt: null, consentVersion: "" });
}

/**
 * @param {any} bundle
 * @param {string} version Of a consent that was given already.
 */
function findText(bundle, version) {
  const texts = bundle.consent_texts;
  return texts.find((/** @type {{version: string}} */ each) => each.version === version) ?? texts[0];
}

/**
 * Return the review: every question with its answer, and a way back to it.
 * @param {FormContext} form
 * @param {Question[]} questions
 * @returns {Question}
 */
export function review(form, questions) {
  const list = h("dl", { class: "review" });
  return {
    id: "review",
    title: t("review.title"),
    element: h("div", {}, h("p", { class: "hint" }, form.t("review.hint")), list),
    fields: {},
    focus: () => undefined,
    refresh: () => {
      const rows = questions.flatMap((question) =>
        question.summary
          ? [
              h(
                "div",
                {},
                h("dt", {}, question.title),
                h("dd", {}, question.summary() || t("review.none")),
                h("dd", { class: "change" }, button(t("review.change"), () => form.open(question.id), { class: "button quiet", "aria-label": t("review.change_what", { what: question.title }) })),
              ),
            ]
          : [],
      );
      list.replaceChildren(...rows);
    },
  };
}
