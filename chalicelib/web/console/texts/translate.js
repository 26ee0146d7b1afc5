// The texts of the console in the language that was chosen.

import { CAMPAIGN_TEXTS } from "./campaign-texts.js";
import { DEVICE_TEXTS } from "./device-texts.js";
import { FRAME_TEXTS } from "./frame-texts.js";
import { fill, getLanguage } from "./language.js";
import { REGISTRATION_TEXTS } from "./registration-texts.js";

/** @type {import("./language.js").Texts} */
export const TEXTS = { ...FRAME_TEXTS, ...CAMPAIGN_TEXTS, ...DEVICE_TEXTS, ...REGISTRATION_TEXTS };

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
