// The price of a registration, from the dated tables and discount policies of the bundle. Whole rupiah only.

import { findLocalDay, listMonths } from "./dates.js";

/**
 * @typedef {"JKK" | "JKM" | "JHT"} Programme
 *
 * @typedef {object} ContributionTable
 * @property {string} id
 * @property {string} first_month
 * @property {string | null} [last_month]
 * @property {number} jkk_per_mille
 * @property {number} jkm_amount
 * @property {number} jht_per_mille
 * @property {{income_from: number, base: number}[]} bands
 *
 * @typedef {object} DiscountPolicy
 * @property {string} id
 * @property {string} first_month
 * @property {string | null} [last_month]
 * @property {string[]} sectors
 * @property {string[]} programmes
 * @property {string[]} except_payers
 * @property {number} percent_off
 * @property {number} full_price_months
 *
 * @typedef {object} QuoteRules The part of a bundle that a price needs.
 * @property {ContributionTable[]} contribution_tables
 * @property {DiscountPolicy[]} discount_policies
 * @property {{id: string, sector: string}[]} occupations
 * @property {string} quote_zone
 *
 * @typedef {object} QuoteRequest
 * @property {number} monthly_income
 * @property {string[]} occupations
 * @property {Programme[]} programmes
 * @property {number} months
 * @property {string} payer
 *
 * @typedef {{programme: Programme, amount: number, table: string, policy: string | null}} QuoteLine
 * @typedef {{month: string, amount: number, lines: QuoteLine[]}} QuoteMonth
 * @typedef {{total: number, months: QuoteMonth[]}} Quote
 */

/**
 * Return the first contribution month of a capture.
 * @param {QuoteRules} rules
 * @param {number} capturedAt
 */
export function findFirstMonth(rules, capturedAt) {
  return findLocalDay(capturedAt, rules.quote_zone).slice(0, 7);
}

/**
 * Return the price of each month, or null where no table is known for one of them.
 * @param {QuoteRules} rules
 * @param {QuoteRequest} request
 * @param {string} firstMonth
 * @returns {Quote | null}
 */
export function computeQuote(rules, request, firstMonth) {
  const months = listMonths(firstMonth, request.months).map((month, index) => priceMonth(rules, request, month, index));
  if (!months.every((month) => month !== null)) return null;
  return { total: sum(months.map((month) => month.amount)), months };
}

/**
 * Return the bands of income of a contribution month, each with its highest income; the last has none.
 * @param {QuoteRules} rules
 * @param {string} month
 * @returns {{from: number, to: number | null}[]}
 */
export function listIncomeBands(rules, month) {
  const bands = findInForce(rules.contribution_tables, month)[0]?.bands ?? [];
  return bands.map((band, index) => ({
    from: band.income_from,
    to: index + 1 < bands.length ? bands[index + 1].income_from - 1 : null,
  }));
}

/**
 * @param {QuoteRules} rules
 * @param {QuoteRequest} request
 * @param {string} month
 * @param {number} index
 * @returns {QuoteMonth | null}
 */
function priceMonth(rules, request, month, index) {
  const table = findInForce(rules.contribution_tables, month)[0];
  // No regulation covers two occupations: the first is asked for as the main source of income.
  const sector = rules.occupations.find((each) => each.id === request.occupations[0])?.sector;
  if (!table || !sector) return null;
  const policies = findInForce(rules.discount_policies, month);
  const lines = request.programmes.map((programme) => {
    const fullAmount = computeFullAmount(table, programme, request.monthly_income);
    const policy = policies.find(
      (each) =>
        each.sectors.includes(sector) &&
        each.programmes.includes(programme) &&
        !each.except_payers.includes(request.payer) &&
        index >= each.full_price_months,
    );
    const amount = policy ? Math.floor((fullAmount * (100 - policy.percent_off)) / 100) : fullAmount;
    return { programme, amount, table: table.id, policy: policy ? policy.id : null };
  });
  return { month, amount: sum(lines.map((line) => line.amount)), lines };
}

/**
 * @param {ContributionTable} table
 * @param {Programme} programme
 * @param {number} income
 */
function computeFullAmount(table, programme, income) {
  if (programme === "JKM") return table.jkm_amount;
  const base = table.bands.reduce((found, band) => (band.income_from <= income ? band.base : found), 0);
  return Math.floor((base * (programme === "JKK" ? table.jkk_per_mille : table.jht_per_mille)) / 1000);
}

/**
 * @template {{first_month: string, last_month?: string | null}} Rule
 * @param {Rule[]} rules
 * @param {string} month
 */
function findInForce(rules, month) {
  return rules.filter((each) => each.first_month <= month && (!each.last_month || month <= each.last_month));
}

/** @param {number[]} amounts */
function sum(amounts) {
  return amounts.reduce((total, amount) => total + amount, 0);
}
