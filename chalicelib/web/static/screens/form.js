// The form: one question a screen where the window is narrow, one page where it is wide.

import { isWithin } from "../rules/captures.js";
import { findLocalDay } from "../rules/dates.js";
import { formatRupiah } from "../rules/rupiah.js";
import { getLanguage, t, tOf } from "../texts/translate.js";
import { listErrors, makeContent } from "./answers.js";
import { tFor } from "./audience.js";
import { afterTap, button, h } from "./elements.js";
import { describeFailure } from "./failures.js";
import { askAddress, askPhone } from "./form-contact.js";
import { askConsent, review } from "./form-consent.js";
import { askCoverage, askPayer, quoteAnswers } from "./form-coverage.js";
import { askName, askNik } from "./form-identity.js";
import { askIncome, askOccupation } from "./form-work.js";

/** @typedef {import("./answers.js").Answers} Answers */
/** @typedef {import("../rules/captures.js").Finding} Finding */
/** @typedef {import("../scripts/types.js").CaptureContent} CaptureContent */

/**
 * @typedef {object} Question
 * @property {string} id
 * @property {string} title
 * @property {HTMLElement} element
 * @property {Record<string, import("./elements.js").Field>} fields By the path of a capture.
 * @property {() => void} focus
 * @property {() => string} [summary]
 * @property {() => void} [refresh]
 *
 * @typedef {object} FormContext What the questions need of the form.
 * @property {Answers} answers
 * @property {any} bundle
 * @property {boolean} isUnattended
 * @property {import("../rules/quotes.js").Quote | null} quote The price of the answers, or null while it is not known.
 * @property {typeof t} t The texts for who reads them.
 * @property {() => number} now
 * @property {() => string} findDay
 * @property {() => void} change
 * @property {(id: string) => void} open
 * @property {(nik: string) => Promise<import("../scripts/types.js").HeldNik | null>} findHeld
 *
 * @typedef {object} FormOptions
 * @property {Answers} answers
 * @property {any} bundle
 * @property {boolean} isUnattended Nobody of ours is there: always one question a screen.
 * @property {{position: number}} place Where the form was left, kept when it is made again in another language.
 * @property {Finding[]} [errors] Why the server refused it.
 * @property {string} [notice]
 * @property {(nik: string) => Promise<import("../scripts/types.js").HeldNik | null>} findHeld
 * @property {() => void} onChange
 * @property {() => void} onLeave
 * @property {(content: CaptureContent, quote: import("../rules/quotes.js").Quote | null) => Promise<void>} onSave Raise what kept it from being saved.
 */

const WIDE = "(min-width: 900px)";

/** @param {FormOptions} options */
export function makeForm({ answers, bundle, place, isUnattended, errors = [], notice, findHeld, onChange, onLeave, onSave }) {
  const now = () => Date.now();
  /** @type {FormContext} */
  const form = {
    answers,
    bundle,
    isUnattended,
    quote: null,
    t: tFor({ isUnattended }),
    now,
    findDay: () => findLocalDay(now(), bundle.campaign.zone),
    change: () => {
      refresh();
      onChange();
    },
    open: (id) => open(questions.findIndex((each) => each.id === id)),
    findHeld,
  };
  const asked = [askNik, askName, askPhone, askAddress, askOccupation, askIncome, askCoverage, askPayer, askConsent].map((ask) => ask(form));
  const questions = [...asked, review(form, asked)];
  const cards = questions.map((question) => makeCard(question, (findings) => findings.filter((each) => belongsTo(question, each.field))));
  const width = matchMedia(WIDE);
  let isSaving = false;

  const progress = h("progress", { max: questions.length, "aria-label": t("form.progress") });
  const step = h("p", { class: "step" });
  const alert = h("div", { class: "notice bad", role: "alert", tabindex: "-1", hidden: true });
  const amount = h("output", { testid: "quote-total", class: "amount" });
  const amountNote = h("span", { class: "hint" });
  const back = button(t("form.back"), () => (isSingle() && place.position > 0 ? open(place.position - 1) : onLeave()), { testid: "back", class: "button" });
  const next = button(t("form.next"), goOn, { testid: "next", class: "button main" });
  const save = button(t("form.save"), () => void trySave(), { testid: "save", class: "button main" });
  const bar = h(
    "div",
    { class: "bar" },
    h("div", { class: "price" }, h("span", { class: "hint" }, t("quote.total")), amount, amountNote),
    h("div", { class: "buttons" }, back, next, save),
  );
  const halves = [0, 5].map((start, index) => h("div", { class: "half" }, ...cards.slice(start, [5, cards.length][index]).map((card) => card.element)));
  const element = h(
    "form",
    { class: "form", novalidate: true, autocomplete: "off", on: { submit: (/** @type {Event} */ event) => event.preventDefault(), keydown: onKey } },
    notice ? h("p", { class: "notice warn" }, notice) : null,
    alert,
    h("div", { class: "progress" }, step, progress),
    h("div", { class: "questions" }, ...halves),
    bar,
  );

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const isField = event.target instanceof HTMLInputElement && !event.target.classList.contains("cover");
    if (event.key !== "Enter" || !isField) return;
    event.preventDefault();
    if (isSingle() && place.position < questions.length - 1) goOn();
  }

  function isSingle() {
    return isUnattended || !width.matches;
  }

  /**
   * Return whether a card is the review, and not on the screen: it is made of all answers anew.
   * @param {number} index
   */
  function isReviewAway(index) {
    return questions[index].id === "review" && !(isSingle() && place.position === index);
  }

  function refresh() {
    form.quote = quoteAnswers(answers, bundle, now());
    /** @type {Finding[] | undefined} */
    let findings;
    const getFindings = () => (findings ??= listErrors(answers, bundle, now()));
    cards.forEach((card, index) => isReviewAway(index) || card.refresh(answers, bundle, getFindings));
    const { quote } = form;
    amount.textContent = quote ? formatRupiah(quote.total) : "–";
    if (quote) amount.dataset.amount = String(quote.total);
    else delete amount.dataset.amount;
    if (!alert.hidden) summarise(getFindings());
    amountNote.textContent = quote ? t("months.count", { months: answers.months }) : "";
  }

  function layOut() {
    element.classList.toggle("single", isSingle());
    document.documentElement.classList.toggle("single-question", isSingle());
    cards.forEach((card, index) => (card.element.hidden = isSingle() ? index !== place.position : questions[index].id === "review"));
    next.hidden = !isSingle() || place.position === questions.length - 1;
    save.hidden = isSingle() && place.position < questions.length - 1;
    bar.classList.toggle("without-price", isSingle() && !amount.dataset.amount);
    progress.value = place.position + 1;
    step.textContent = t("form.step", { step: place.position + 1, steps: questions.length });
  }

  /** @param {number} index */
  function open(index) {
    place.position = index;
    refresh();
    layOut();
    if (!isSingle()) return questions[index].focus();
    scrollTo(0, 0);
    cards[index].heading.focus();
  }

  function goOn() {
    const findings = cards[place.position].select(listErrors(answers, bundle, now()));
    cards[place.position].show(findings);
    if (findings.length) return cards[place.position].focusError();
    open(place.position + 1);
  }

  async function trySave() {
    if (isSaving) return;
    const findings = listErrors(answers, bundle, now());
    showAll(findings);
    if (findings.length) return;
    isSaving = true;
    save.setAttribute("aria-disabled", "true");
    try {
      await onSave(makeContent(answers, bundle, form.findDay()), quoteAnswers(answers, bundle, now()));
    } catch (error) {
      alert.replaceChildren(h("p", {}, h("b", {}, t("form.not_saved"))), h("p", {}, describeFailure(error, { isUnattended })));
      alert.hidden = false;
      alert.focus();
    } finally {
      isSaving = false;
      save.removeAttribute("aria-disabled");
    }
  }

  /** @param {Finding[]} findings */
  function showAll(findings) {
    for (const card of cards) card.show(card.select(findings));
    const first = listBroken(findings)[0];
    summarise(findings);
    if (first !== undefined) openError(first);
  }

  /** @param {Finding[]} findings */
  function listBroken(findings) {
    return cards.flatMap((card, index) => (card.select(findings).length ? [index] : []));
  }

  /** @param {Finding[]} findings */
  function summarise(findings) {
    const links = listBroken(findings).map((index) => button(questions[index].title, () => openError(index), { class: "button quiet" }));
    alert.hidden = links.length === 0;
    alert.replaceChildren(h("p", {}, h("b", {}, t("form.to_mend"))), h("div", { class: "buttons" }, ...links));
  }

  /** @param {number} index */
  function openError(index) {
    if (isSingle()) open(index);
    cards[index].focusError();
  }

  for (const card of cards) {
    // A value is judged when its field is left; what is still empty may be filled in later.
    card.element.addEventListener("change", () =>
      afterTap(() => card.show(card.select(listErrors(answers, bundle, now())).filter((finding) => finding.code !== "field_missing"))),
    );
  }
  width.addEventListener("change", layOut);
  refresh();
  layOut();
  return {
    element,
    /** Show the question that comes first, or the first one that the server refused. */
    start() {
      if (errors.length) showAll(errors);
      else if (isSingle()) cards[0].heading.focus();
      else questions[0].focus();
    },
    stop: () => {
      width.removeEventListener("change", layOut);
      document.documentElement.classList.remove("single-question");
    },
  };
}

/**
 * @param {Question} question
 * @param {string} path
 */
function belongsTo(question, path) {
  return Object.keys(question.fields).some((field) => isWithin(path, field));
}

/**
 * Return a question with its heading, and what shows its errors.
 * @param {Question} question
 * @param {(findings: Finding[]) => Finding[]} select
 */
function makeCard(question, select) {
  const heading = h("h2", { tabindex: "-1" }, question.title);
  const element = h("section", { class: "card", id: `question-${question.id}` }, heading, question.element);
  /** @type {Set<string>} The fields whose errors are shown: they go as soon as they are mended. */
  const shown = new Set();
  /** @type {any} */
  let messages = {};
  /** @param {Finding[]} findings */
  const show = (findings) => {
    for (const [path, field] of Object.entries(question.fields)) {
      const finding = findings.find((each) => isWithin(each.field, path));
      field.showError(finding ? describeFinding(finding, messages) : null);
      if (finding) shown.add(path);
      else shown.delete(path);
    }
    question.refresh?.();
  };
  return {
    element,
    heading,
    select,
    show,
    focusError: () => {
      const invalid = /** @type {HTMLElement | null} */ (element.querySelector(".invalid input:not([disabled]), .invalid textarea"));
      (invalid ?? heading).focus();
    },
    /**
     * @param {Answers} answers
     * @param {any} bundle
     * @param {() => Finding[]} getFindings
     */
    refresh: (answers, bundle, getFindings) => {
      messages = bundle.field_messages ?? {};
      if (shown.size || isWholeNikBroken(question, answers)) {
        const findings = select(getFindings());
        show(findings.filter((each) => [...shown].some((path) => isWithin(each.field, path)) || isWholeNik(each, answers)));
      }
      question.refresh?.();
    },
  };
}

// A NIK of full length is judged at once: everything after it would be in vain.
const NIK_LENGTH = 16;

/**
 * @param {Question} question
 * @param {Answers} answers
 */
function isWholeNikBroken(question, answers) {
  return question.id === "nik" && answers.nik.replace(/\D/g, "").length >= NIK_LENGTH;
}

/**
 * @param {Finding} finding
 * @param {Answers} answers
 */
function isWholeNik(finding, answers) {
  return /^worker\.(nik|birth_date)$/.test(finding.field) && answers.nik.replace(/\D/g, "").length >= NIK_LENGTH;
}

/**
 * Return the message about a finding: the server's own where there is one.
 * @param {Finding & {message?: string}} finding
 * @param {Record<string, Record<string, string>>} messages
 */
export function describeFinding(finding, messages) {
  if (finding.message) return finding.message;
  const message = messages[finding.code]?.[getLanguage()] ?? tOf("finding", finding.code);
  return finding.digits === undefined ? message : `${message} ${t("finding.digits", { digits: finding.digits })}`;
}
