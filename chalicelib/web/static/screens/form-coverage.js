// The questions about the coverage: programmes, months, payer, and the price that follows.

import { computeQuote, findFirstMonth } from "../rules/quotes.js";
import { formatRupiah } from "../rules/rupiah.js";
import { formatMonth, getLanguage, t, tOf } from "../texts/translate.js";
import { listProgrammes } from "./answers.js";
import { choiceGroup, h, makeId, tile } from "./elements.js";

/** @typedef {import("./form.js").FormContext} FormContext */
/** @typedef {import("./form.js").Question} Question */
/** @typedef {import("./answers.js").Answers} Answers */

// The payers whom officers may choose; an unattended device offers the first two.
const PAYERS = ["self", "sponsor", "csr", "state_budget"];
const PUBLIC_PAYERS = 2;

/**
 * Return the price of the answers, or null while it is not known.
 * @param {Answers} answers
 * @param {any} bundle
 * @param {number} now
 */
export function quoteAnswers(answers, bundle, now) {
  if (!answers.occupation || answers.income === null) return null;
  return computeQuote(
    bundle,
    {
      monthly_income: answers.income,
      occupations: [answers.occupation],
      programmes: /** @type {any} */ (listProgrammes(answers, bundle)),
      months: answers.months,
      payer: answers.payer,
    },
    findFirstMonth(bundle, now),
  );
}

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askCoverage(form) {
  const { answers, bundle } = form;
  const jht = tile({ type: "checkbox", testid: "programme-jht", checked: answers.hasJht }, `JHT · ${nameOf(bundle, "JHT")}`, t("programmes.jht_detail"));
  jht.input.addEventListener("change", () => {
    answers.hasJht = jht.input.checked;
    form.change();
  });
  const always = ["JKK", "JKM"].map((id) => h("li", {}, h("b", {}, id), ` · ${nameOf(bundle, id)}`, h("small", {}, tOf("programmes.detail", id))));
  const forced = h("p", { class: "notice", role: "status" }, t("programmes.jht_required"));
  const programmes = choiceGroup(t("programmes.label"), [h("ul", { class: "included" }, ...always), jht.element, forced]);
  const months = askMonths(form);
  const lines = h("div", { class: "quote-lines" });
  let shownQuote = "";
  return {
    id: "coverage",
    title: t("programmes.title"),
    element: h("div", {}, programmes.element, months.element, lines),
    fields: { "coverage.programmes": programmes, "coverage.months": months },
    focus: () => jht.input.focus(),
    summary: () => `${listProgrammes(answers, bundle).join(" + ")}, ${t("months.count", { months: answers.months })}`,
    refresh: () => {
      const isForced = answers.employsOthers && bundle.programmes.required_of_employers.includes("JHT");
      forced.hidden = !isForced;
      jht.input.checked = answers.hasJht || isForced;
      jht.input.disabled = isForced;
      const key = JSON.stringify([form.quote, listProgrammes(answers, bundle)]);
      if (key === shownQuote) return;
      shownQuote = key;
      lines.replaceChildren(...describeQuote(form.quote, answers, bundle));
    },
  };
}

/** @param {FormContext} form */
function askMonths(form) {
  const { answers, bundle } = form;
  const name = makeId();
  const tiles = bundle.limits.fields["coverage.months"].choices.map((/** @type {number} */ months) => {
    const option = tile({ type: "radio", name, testid: `months-${months}`, checked: months === answers.months }, t("months.count", { months }));
    option.input.addEventListener("change", () => {
      answers.months = months;
      form.change();
    });
    return option.element;
  });
  return choiceGroup(t("months.label"), [h("div", { class: "tiles narrow" }, ...tiles)]);
}

/**
 * Return the price month by month: months of one price stand in one line.
 * @param {import("../rules/quotes.js").Quote | null} quote
 * @param {Answers} answers
 * @param {any} bundle
 */
function describeQuote(quote, answers, bundle) {
  if (!quote) return [];
  /** @type {{first: string, last: string, amount: number, isCut: boolean}[]} */
  const runs = [];
  for (const month of quote.months) {
    const isCut = month.lines.some((line) => line.policy !== null);
    const run = runs.at(-1);
    if (run && run.amount === month.amount) run.last = month.month;
    else runs.push({ first: month.month, last: month.month, amount: month.amount, isCut });
  }
  return [
    h("h3", {}, t("quote.title")),
    h("p", { class: "hint" }, t("quote.for", { programmes: listProgrammes(answers, bundle).join(" + ") })),
    h("ul", {}, ...runs.map((run) => h("li", {}, h("span", {}, describeRun(run), run.isCut ? h("small", {}, t("quote.cut")) : null), h("b", {}, t("quote.a_month", { amount: formatRupiah(run.amount) }))))),
  ];
}

/** @param {{first: string, last: string}} run */
function describeRun({ first, last }) {
  return first === last ? formatMonth(first) : t("quote.from_to", { first: formatMonth(first), last: formatMonth(last) });
}

/**
 * @param {any} bundle
 * @param {string} id
 */
function nameOf(bundle, id) {
  const programme = bundle.programmes.names.find((/** @type {{id: string}} */ each) => each.id === id);
  return getLanguage() === "en" ? programme.name_en : programme.name;
}

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askPayer(form) {
  const { answers, bundle } = form;
  const name = makeId();
  const sponsors = bundle.sponsors ?? [];
  const sponsor = askSponsor(form, sponsors);
  const payers = form.isUnattended ? PAYERS.slice(0, PUBLIC_PAYERS) : PAYERS;
  const tiles = payers.map((payer) => {
    const testid = { self: "payer-self", sponsor: "payer-sponsor" }[payer];
    const option = tile({ type: "radio", name, testid, checked: payer === answers.payer }, form.t(`payer.${payer}`), form.t(`payer.detail.${payer}`));
    option.input.addEventListener("change", () => {
      answers.payer = payer;
      if (payer === "sponsor" && sponsors.length === 1) answers.sponsorId = sponsors[0].sponsor_id;
      form.change();
    });
    return option.element;
  });
  const group = choiceGroup(t("payer.title"), [h("div", { class: "tiles" }, ...tiles), sponsor.element], { isLegendHidden: true });
  return {
    id: "payer",
    title: t("payer.title"),
    element: group.element,
    fields: { "coverage.payer": group, "coverage.sponsor_id": sponsor },
    focus: () => group.element.querySelector("input")?.focus(),
    summary: () => {
      const named = sponsors.find((/** @type {{sponsor_id: string}} */ each) => each.sponsor_id === answers.sponsorId);
      return answers.payer === "sponsor" && named ? named.name : form.t(`payer.${answers.payer}`);
    },
    refresh: () => {
      sponsor.element.hidden = answers.payer !== "sponsor" || sponsors.length === 0;
      for (const each of sponsor.element.querySelectorAll("input")) each.checked = each.value === answers.sponsorId;
    },
  };
}

/**
 * @param {FormContext} form
 * @param {{sponsor_id: string, name: string}[]} sponsors
 */
function askSponsor(form, sponsors) {
  const name = makeId();
  const options = [...sponsors, { sponsor_id: "", name: t("payer.other_sponsor") }].map((each) => {
    const option = tile({ type: "radio", name, value: each.sponsor_id, checked: each.sponsor_id === form.answers.sponsorId }, each.name);
    option.input.addEventListener("change", () => {
      form.answers.sponsorId = each.sponsor_id;
      form.change();
    });
    return option.element;
  });
  return choiceGroup(t("payer.which_sponsor"), [h("div", { class: "tiles" }, ...options)]);
}
