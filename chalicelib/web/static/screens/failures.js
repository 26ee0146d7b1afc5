// What is said when something could not be done.

import { TEXTS, t } from "../texts/translate.js";
import { tFor } from "./audience.js";

/**
 * Return why something could not be done: in the app's own words, else in the server's.
 * @param {unknown} error
 * @param {{isUnattended: boolean}} [reader]
 */
export function describeFailure(error, reader = { isUnattended: false }) {
  const { name = "", code = "", problem } = /** @type {any} */ (error ?? {});
  const kind = name === "ApiProblem" ? code : name;
  if (TEXTS[`failure.${kind}`]) return tFor(reader)(`failure.${kind}`);
  return problem?.title ?? t("failure.unknown", { name: kind });
}
