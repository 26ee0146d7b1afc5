// The language that was chosen, and how days, months and amounts are written in it.

/** @typedef {"id" | "en"} Language */
/** @typedef {Record<string, Record<Language, string>>} Texts */

/** @type {Language} */
let language = "id";

/** Return the language that was chosen. */
export function getLanguage() {
  return language;
}

/** @param {Language} chosen */
export function setLanguage(chosen) {
  language = chosen;
}

/**
 * Fill in `{count}`, and choose in `{count|registration|registrations}` the word for one or for many.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text
    .replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, one, many) => (Number(values[name]) === 1 ? one : many))
    .replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

const MONTHS = {
  id: ["Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"],
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
};

/**
 * Return a day as people write it: `12 April 1985`.
 * @param {string} day
 * @param {Language} [of]
 */
export function formatDay(day, of = language) {
  return `${Number(day.slice(8))} ${MONTHS[of][Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
}

/**
 * Return a contribution month as people write it: `November 2026`.
 * @param {string} month
 */
export function formatMonth(month) {
  return `${MONTHS[language][Number(month.slice(5, 7)) - 1]} ${month.slice(0, 4)}`;
}

/**
 * Return an amount in millions, as people say it: `2,5 juta`.
 * @param {number} amount
 */
export function formatMillions(amount) {
  const millions = String(amount / 1_000_000);
  return language === "id" ? millions.replace(".", ",") : millions;
}
