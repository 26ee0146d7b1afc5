// Forms that show the server's refusals at the fields that they are about.

import { ApiProblem } from "../scripts/errors.js";
import { field, h, textInput } from "../screens/elements.js";
import { runAction } from "./parts.js";

/**
 * One field of a form. `choices` makes it a choice; values and texts of them.
 * @typedef {object} FieldSpec
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {string} [type] Of the input: `date`, `number`, `text` (the default).
 * @property {string | number} [value]
 * @property {[string, string][]} [choices]
 * @property {Record<string, any>} [attributes]
 * @property {string} [group] The legend of the fields that it stands with.
 */

/**
 * Return a form. Its values are texts; those left empty are left out.
 * @param {FieldSpec[]} specs
 * @param {{submit: string, testid?: string, onSubmit: (values: Record<string, string>) => Promise<string | void>, intro?: Node, extra?: Node}} options
 */
export function makeForm(specs, { submit, testid, onSubmit, intro, extra }) {
  const fields = specs.map((spec) => ({ name: spec.name, group: spec.group, ...makeField(spec, testid) }));
  const outcome = h("p", { class: "outcome", role: "status" });
  const start = h("button", { type: "submit", class: "button main", testid: testid && `${testid}-submit` }, submit);
  const form = h(
    "form",
    { class: "card", autocomplete: "off", novalidate: true, testid },
    intro,
    ...arrange(fields),
    extra,
    h("div", { class: "buttons" }, start),
    outcome,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    runAction(start, outcome, async () => {
      for (const each of fields) each.showError(null);
      const filled = fields.map((each) => /** @type {const} */ ([each.name, each.read()])).filter(([, value]) => value !== "");
      try {
        return await onSubmit(Object.fromEntries(filled));
      } catch (error) {
        showRefusals(fields, error);
        throw error;
      }
    });
  });
  return form;
}

/**
 * Return the fields in their order, those of a group in a fieldset.
 * @param {{group: string | undefined, element: HTMLElement}[]} fields
 */
function arrange(fields) {
  const groups = [...new Set(fields.map((each) => each.group))];
  return groups.flatMap((group) => {
    const elements = fields.filter((each) => each.group === group).map((each) => each.element);
    return group === undefined ? elements : [h("fieldset", {}, h("legend", { class: "label" }, group), h("div", { class: "group" }, ...elements))];
  });
}

/**
 * @param {FieldSpec} spec
 * @param {string} [testid]
 */
function makeField({ name, label, hint, type = "text", value = "", choices, attributes = {} }, testid) {
  const properties = { name, testid: testid && `${testid}-${name}`, ...attributes };
  const input = choices
    ? h("select", properties, ...choices.map(([each, text]) => h("option", { value: each, selected: each === String(value) }, text)))
    : textInput({ type, value, ...properties });
  const { element, showError } = field(label, input, { hint });
  return { element, showError, read: () => input.value.trim() };
}

/**
 * @param {{name: string, showError: (message: string | null) => void}[]} fields
 * @param {unknown} error
 */
function showRefusals(fields, error) {
  if (!(error instanceof ApiProblem)) return;
  for (const { field: path, message, code } of error.problem.errors ?? []) {
    const names = path.split(".");
    fields.find((each) => names.includes(each.name))?.showError(message ?? code);
  }
}
