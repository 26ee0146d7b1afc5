// What to say about an error: the server's own words, or that it did not answer.

import { ApiProblem } from "./errors.js";
import { t, tOf } from "../texts/translate.js";

/** @param {unknown} error */
export function describeFailure(error) {
  if (!(error instanceof ApiProblem)) return t("failed.unreachable");
  const { problem } = error;
  const fields = (problem.errors ?? []).map((each) => `${nameField(each.field)}: ${each.message ?? each.code}`);
  return [problem.title ?? problem.code, ...fields].join(" · ");
}

/**
 * Return the name of a field in a form, without its group and position: `managers.0.email` is `email`.
 * @param {string} path
 */
function nameField(path) {
  return tOf("field", path.split(".").filter((part) => !/^\d+$/.test(part)).at(-1) ?? path);
}
