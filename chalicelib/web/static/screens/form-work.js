// The questions about the work: occupation, by search or tile, and income by band.

import { searchOccupations } from "../rules/occupations.js";
import { findFirstMonth, listIncomeBands } from "../rules/quotes.js";
import { formatMillions, getLanguage, t } from "../texts/translate.js";
import { button, choiceGroup, field, h, makeId, textInput, tile } from "./elements.js";

/** @typedef {import("./form.js").FormContext} FormContext */
/** @typedef {import("./form.js").Question} Question */
/** @typedef {import("../rules/occupations.js").Occupation} Occupation */

// The list of occupations begins with the usual ones of a market.
const USUAL = 9;
const FOUND = 8;
const OTHER = "other";
// The bands that are shown before the others are asked for.
const USUAL_BANDS = 14;
// The fund takes no lower income than this one as declared.
const LOWEST_DECLARED = 1_000_000;

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askOccupation(form) {
  const { answers, bundle } = form;
  const first = makePicker(form, { value: answers.occupation, isFirst: true, onPick: (id) => (answers.occupation = id) });
  const second = makePicker(form, { value: answers.secondOccupation, isFirst: false, onPick: (id) => (answers.secondOccupation = id) });
  const secondBox = h("div", { class: "second", hidden: !answers.secondOccupation }, second.element);
  const more = button(t("occupation.add_second"), () => {
    secondBox.hidden = !secondBox.hidden;
    more.setAttribute("aria-expanded", String(!secondBox.hidden));
    if (secondBox.hidden) {
      answers.secondOccupation = "";
      second.refresh("");
      form.change();
    } else second.focus();
    more.textContent = secondBox.hidden ? t("occupation.add_second") : t("occupation.remove_second");
  }, { class: "button quiet", "aria-expanded": String(!secondBox.hidden) });
  const employs = tile({ type: "checkbox", checked: answers.employsOthers }, form.t("occupation.employs"), t("occupation.employs_detail"));
  employs.input.addEventListener("change", () => {
    answers.employsOthers = employs.input.checked;
    form.change();
  });
  return {
    id: "occupation",
    title: t("occupation.title"),
    element: h("div", {}, first.element, secondBox, h("div", { class: "tiles" }, employs.element), more),
    fields: { "work.occupations": first.field },
    focus: () => first.focus(),
    summary: () => [answers.occupation, answers.secondOccupation].filter(Boolean).map((id) => findName(bundle, id)).join(", "),
  };
}

/**
 * Return a search field with the occupations that fit, or the usual ones while nothing is typed.
 * @param {FormContext} form
 * @param {{value: string, isFirst: boolean, onPick: (id: string) => void}} options
 */
function makePicker(form, { value, isFirst, onPick }) {
  const { occupations } = form.bundle;
  const name = makeId();
  let chosen = value;
  const input = textInput({ testid: isFirst ? "occupation-search" : undefined, type: "search", maxlength: 60 });
  const search = field(isFirst ? t("occupation.search") : t("occupation.search_second"), input, { hint: t("occupation.search_hint") });
  const list = h("div", { class: "tiles", role: "group", "aria-label": t("occupation.choices") });
  const group = choiceGroup(t("occupation.title"), [search.element, list], { isLegendHidden: true });
  const show = () => {
    const options = listOptions(occupations, input.value, chosen).map((/** @type {Occupation} */ each) => {
      const option = tile(
        { type: "radio", name, checked: each.id === chosen, testid: isFirst ? "occupation-option" : undefined, data: { id: each.id } },
        nameOf(each),
        each.id === OTHER ? t("occupation.other_detail") : undefined,
      );
      option.input.addEventListener("change", () => {
        chosen = each.id;
        onPick(each.id);
        form.change();
      });
      return option.element;
    });
    list.replaceChildren(...options);
  };
  input.addEventListener("input", show);
  show();
  return {
    element: group.element,
    field: group,
    focus: () => input.focus(),
    refresh: (/** @type {string} */ id) => {
      chosen = id;
      show();
    },
  };
}

/**
 * @param {Occupation[]} occupations
 * @param {string} typed
 * @param {string} chosen
 */
function listOptions(occupations, typed, chosen) {
  const found = typed.trim() ? searchOccupations(occupations, typed).slice(0, FOUND) : occupations.slice(0, USUAL);
  const others = occupations.filter((each) => each.id === chosen || each.id === OTHER);
  return [...new Set([...found, ...others])];
}

/** @param {Occupation} occupation */
function nameOf(occupation) {
  return getLanguage() === "en" ? occupation.name_en : occupation.name;
}

/**
 * Return the name of an occupation in the language of the app.
 * @param {any} bundle
 * @param {string} id
 */
export function findName(bundle, id) {
  const found = bundle.occupations.find((/** @type {Occupation} */ each) => each.id === id);
  return found ? nameOf(found) : id;
}

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askIncome(form) {
  const { answers, bundle } = form;
  const bands = listIncomeBands(bundle, findFirstMonth(bundle, form.now()));
  const name = makeId();
  const tiles = bands.map((band) => {
    const amount = toAmount(band);
    const isChosen = answers.income !== null && answers.income >= band.from && (band.to === null || answers.income <= band.to);
    const option = tile({ type: "radio", name, checked: isChosen, testid: "income-option", data: { amount } }, describeBand(band));
    option.input.addEventListener("change", () => {
      answers.income = amount;
      form.change();
    });
    return option.element;
  });
  const rest = h("div", { class: "tiles income", hidden: true }, ...tiles.slice(USUAL_BANDS));
  const more = button(t("income.more"), () => {
    rest.hidden = false;
    more.remove();
  }, { class: "button quiet" });
  if (answers.income !== null && answers.income >= (bands[USUAL_BANDS]?.from ?? Infinity)) rest.hidden = false;
  const group = choiceGroup(
    t("income.title"),
    [h("div", { class: "tiles income" }, ...tiles.slice(0, USUAL_BANDS)), rest, tiles.length > USUAL_BANDS && rest.hidden ? more : null],
    { isLegendHidden: true, hint: t("income.hint") },
  );
  return {
    id: "income",
    title: t("income.title"),
    element: group.element,
    fields: { "work.monthly_income": group },
    focus: () => group.element.querySelector("input")?.focus(),
    summary: () => {
      const band = bands.find((each) => answers.income !== null && answers.income >= each.from && (each.to === null || answers.income <= each.to));
      return band ? describeBand(band) : "";
    },
  };
}

/**
 * Return the income that stands for a band: its lowest, but never none.
 * @param {{from: number, to: number | null}} band
 */
function toAmount({ from, to }) {
  return from === 0 && to !== null && to >= LOWEST_DECLARED ? LOWEST_DECLARED : from;
}

/** @param {{from: number, to: number | null}} band */
function describeBand({ from, to }) {
  if (to === null) return t("income.above", { from: formatMillions(from) });
  const end = formatMillions(to + 1);
  return from === 0 ? t("income.below", { to: end }) : t("income.between", { from: formatMillions(from), to: end });
}
