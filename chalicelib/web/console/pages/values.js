// Fields of a registration and their values, as people read them.

import { formatRupiah } from "../rules/rupiah.js";
import { formatDay, getLanguage } from "../texts/language.js";
import { t, tOf } from "../texts/translate.js";

/**
 * An occupation as the API lists it.
 * @typedef {{id: string, name: string, name_en: string}} Occupation
 */

/**
 * Return the name of a field by its path: `worker.phone` is `phone`, `work.place` the place of work.
 * @param {string} path
 */
export function nameField(path) {
  const name = path.split(".").at(-1) ?? path;
  return tOf("field", name === "place" ? "work_place" : name);
}

/**
 * Return the names of occupations, in the order of their ids.
 * @param {string[]} ids
 * @param {Occupation[]} occupations
 */
export function nameOccupations(ids, occupations) {
  return ids
    .map((id) => {
      const found = occupations.find((each) => each.id === id);
      return found ? found[getLanguage() === "en" ? "name_en" : "name"] : id;
    })
    .join(", ");
}

/**
 * Return the fields and values of what a correction asks for, whether they stand in groups or alone.
 * @param {Record<string, any>} wanted
 * @param {Occupation[]} occupations
 * @returns {[string, string][]}
 */
export function describeWanted(wanted, occupations) {
  return Object.entries(wanted).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? describeWanted(value, occupations)
      : /** @type {[string, string][]} */ ([[nameField(name), describeValue(name.split(".").at(-1) ?? name, value, occupations)]]),
  );
}

/**
 * @param {string} name
 * @param {any} value
 * @param {Occupation[]} occupations
 */
function describeValue(name, value, occupations) {
  if (value === null) return t("values.none");
  if (name === "birth_date") return formatDay(value);
  if (name === "monthly_income") return formatRupiah(value);
  if (name === "occupations") return nameOccupations(value, occupations);
  if (name === "payer") return tOf("payer", value);
  if (typeof value === "boolean") return t(value ? "values.yes" : "values.no");
  return Array.isArray(value) ? value.join(", ") : String(value);
}
