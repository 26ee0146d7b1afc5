// Who reads the screen: an officer, who speaks of the worker, or the worker.

import { TEXTS, t } from "../texts/translate.js";

/**
 * Return the texts for who reads them: where a text has another one for the worker, `<key>.own`, that one.
 * @param {{isUnattended: boolean}} reader
 * @returns {typeof t}
 */
export function tFor({ isUnattended }) {
  return (key, values) => t(isUnattended && TEXTS[`${key}.own`] ? `${key}.own` : key, values);
}
