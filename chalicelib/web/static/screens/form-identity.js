// The questions about who the worker is: NIK with its keypad and echo, birth date, name.

import { computeAge, findLocalTime } from "../rules/dates.js";
import { groupNik, parseNik } from "../rules/nik.js";
import { makeShortCode } from "../rules/short-codes.js";
import { formatDay, t, tOf } from "../texts/translate.js";
import { isSecondEntryNeeded } from "./answers.js";
import { button, choiceGroup, field, h, textInput, tile } from "./elements.js";

/** @typedef {import("./form.js").FormContext} FormContext */
/** @typedef {import("./form.js").Question} Question */

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "delete"];

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askNik(form) {
  const { answers } = form;
  const input = makeNikInput("nik", answers.nik, (value) => {
    answers.nik = value;
    form.change();
  });
  const nik = field(t("nik.label"), input, { hint: t("nik.hint") });
  const echo = h("p", { class: "echo", testid: "nik-echo", "aria-live": "polite" });
  const held = h("p", { class: "notice warn", role: "status", hidden: true });
  const doubt = h("p", { class: "notice warn", role: "status", hidden: true }, t("nik.place_doubt"));
  const other = tile(
    {
      type: "checkbox",
      checked: answers.isBirthDateOther,
      on: {
        change: () => {
          answers.isBirthDateOther = other.input.checked;
          form.change();
        },
      },
    },
    t("birth.differs"),
    t("birth.differs_detail"),
  );
  const birth = askBirthDate(form);
  let checkedNik = "";
  return {
    id: "nik",
    title: t("nik.title"),
    element: h("div", {}, nik.element, echo, doubt, held, makeKeypad(input), other.element, birth.element),
    fields: { "worker.nik": nik, ...birth.fields },
    focus: () => input.focus(),
    summary: () => groupNik(answers.nik.replace(/\D/g, "")),
    refresh: () => {
      const parsed = parseNik(answers.nik, form.findDay(), form.bundle.limits.nik);
      const isRead = "birthDate" in parsed;
      echo.textContent = isRead
        ? t("nik.echo", {
            date: formatDay(parsed.birthDate),
            sex: tOf("sex", parsed.sex),
            age: computeAge(form.findDay(), parsed.birthDate),
          })
        : "";
      echo.hidden = !isRead;
      doubt.hidden = !isRead || parsed.hasValidPlaceCode;
      other.element.hidden = !isRead;
      birth.refresh();
      const value = isRead ? parsed.value : "";
      if (value === checkedNik) return;
      checkedNik = value;
      held.hidden = true;
      if (value) void form.findHeld(value).then((found) => value === checkedNik && showHeld(held, found, form.bundle.campaign.zone));
    },
  };
}

/**
 * @param {HTMLElement} element
 * @param {import("../scripts/types.js").HeldNik | null} found
 * @param {string} zone
 */
function showHeld(element, found, zone) {
  element.hidden = found === null;
  if (!found) return;
  element.textContent = t("nik.held", {
    time: findLocalTime(Date.parse(found.capturedAt), zone),
    code: found.reference ?? makeShortCode(found.captureId),
  });
}

/**
 * Return a field for a NIK that shows its digits in groups of four.
 * @param {string | undefined} testid
 * @param {string} value
 * @param {(value: string) => void} onChange
 */
function makeNikInput(testid, value, onChange) {
  const isTouched = matchMedia("(pointer: coarse)").matches;
  const input = textInput({ testid, class: "digits", inputmode: isTouched ? "none" : "numeric", maxlength: 40, value: group(value) });
  input.addEventListener("input", () => {
    const isAtEnd = input.selectionStart === input.value.length;
    const digits = input.value.replace(/[\s.-]+/g, "");
    // What is no plain number is left as it was typed, so that the message about it is understood.
    if (isAtEnd && /^[0-9]*$/.test(digits)) input.value = groupNik(digits);
    onChange(input.value);
  });
  return input;
}

/** @param {string} value */
function group(value) {
  return /^[0-9]+$/.test(value) ? groupNik(value) : value;
}

/**
 * Return a keypad that types into a field.
 * @param {HTMLInputElement} input
 */
function makeKeypad(input) {
  const keys = KEYS.map((key) => {
    const isDigit = key.length === 1;
    const label = isDigit ? key : tOf("keypad", key);
    return button(label, () => press(input, key), { class: isDigit ? "key" : "key small-key", "aria-label": label });
  });
  return h("div", { class: "keypad", role: "group", "aria-label": t("keypad.label") }, ...keys);
}

/**
 * @param {HTMLInputElement} input
 * @param {string} key
 */
function press(input, key) {
  if (key === "clear") input.value = "";
  else if (key === "delete") input.value = input.value.trimEnd().slice(0, -1).trimEnd();
  else input.value += key;
  input.setSelectionRange(input.value.length, input.value.length);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {FormContext} form */
function askBirthDate(form) {
  const { answers } = form;
  const parts = /** @type {const} */ (["day", "month", "year"]).map((part) => {
    const input = textInput({ inputmode: "numeric", maxlength: part === "year" ? 4 : 2, value: answers.birthDate[part], class: "digits" });
    input.addEventListener("input", () => {
      answers.birthDate[part] = input.value;
      form.change();
    });
    return field(tOf("birth", part), input).element;
  });
  const date = choiceGroup(t("birth.title"), [h("div", { class: "date-parts" }, ...parts)], { hint: t("birth.hint") });
  const again = field(
    t("nik.again"),
    makeNikInput(undefined, answers.nikAgain, (value) => {
      answers.nikAgain = value;
      form.change();
    }),
    { hint: t("nik.again_hint") },
  );
  return {
    element: h("div", {}, date.element, again.element),
    fields: { "worker.birth_date": date, "worker.nik_again": again },
    refresh: () => {
      const hasDateError = date.element.classList.contains("invalid");
      date.element.hidden = !answers.isBirthDateOther && !hasDateError;
      for (const each of date.element.querySelectorAll("input")) each.disabled = !answers.isBirthDateOther;
      again.element.hidden = !isSecondEntryNeeded(answers, form.bundle, form.findDay());
    },
  };
}

/**
 * @param {FormContext} form
 * @returns {Question}
 */
export function askName(form) {
  const input = textInput({ testid: "name", maxlength: 100, value: form.answers.name, ...{ autocapitalize: "words" } });
  input.addEventListener("input", () => {
    form.answers.name = input.value;
    form.change();
  });
  const name = field(t("name.label"), input, { hint: t("name.hint") });
  return {
    id: "name",
    title: t("name.title"),
    element: name.element,
    fields: { "worker.name": name },
    focus: () => input.focus(),
    summary: () => form.answers.name.trim(),
  };
}
