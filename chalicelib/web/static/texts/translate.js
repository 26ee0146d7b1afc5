// The texts of the app in the language that was chosen.

import { DEVICE_TEXTS } from "./device-texts.js";
import { FORM_TEXTS } from "./form-texts.js";
import { fill, getLanguage } from "./language.js";
import { RECEIPT_TEXTS } from "./receipt-texts.js";

export { formatDay, formatMillions, formatMonth, getLanguage, setLanguage } from "./language.js";

/** @typedef {import("./language.js").Language} Language */
/** @typedef {import("./language.js").Texts} Texts */

/** @type {Texts} */
export const TEXTS = { ...DEVICE_TEXTS, ...FORM_TEXTS, ...RECEIPT_TEXTS };

/**
 * Return a text with its `{values}` filled in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return fill(TEXTS[key][getLanguage()], values);
}

/**
 * Return the text of a value of a group, such as a state, or the value itself where there is none.
 * @param {string} group
 * @param {string} value
 */
export function tOf(group, value) {
  return TEXTS[`${group}.${value}`]?.[getLanguage()] ?? value;
}

/**
 * Return a text of the catalogue in a given language, for what a worker keeps.
 * @param {Language} of
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function tIn(of, key, values = {}) {
  return fill(TEXTS[key][of], values);
}
