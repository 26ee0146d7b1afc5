// What each device and each officer registered on a day, and what became of it. It accuses nobody.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { ApiProblem } from "../scripts/errors.js";
import { groupThousands } from "../rules/rupiah.js";
import { h } from "../screens/elements.js";
import { formatDay } from "../texts/language.js";
import { t } from "../texts/translate.js";
import { makeLinksUp, makeSection, makeTable } from "./parts.js";

/** @typedef {import("../scripts/requests.js").Requests} Requests */
/** @typedef {{client_id?: string, officer?: string, registered: number, paid: number, cancelled: number}} Rate */

/**
 * @param {import("../scripts/console.js").Console} console
 * @param {string} campaignId
 * @param {string} day
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeRatesPage({ requests }, campaignId, day) {
  const path = makePath("campaigns", campaignId);
  const [campaign, rates, unusual] = await Promise.all([
    requests.get(path),
    requests.get(`${path}/rates?day=${encodeURIComponent(day)}`),
    readUnusualClients(requests, campaignId, day),
  ]);
  const clients = sort(rates.clients).map((each) => makeCells([each.client_id ?? "", describeUnusual(unusual.get(each.client_id ?? ""))], each));
  const officers = sort(rates.officers).map((each) => makeCells(each.officer ?? "", each));
  const columns = [t("rates.registered"), t("rates.paid"), t("rates.cancelled")];
  return {
    title: t("rates.title"),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaign.name], [makeAddress("campaigns", campaignId, "days", day), formatDay(day)]]),
    element: h(
      "div",
      { testid: "rates" },
      h("p", { class: "soft" }, t("rates.what")),
      makeSection(t("rates.clients"), clients.length ? makeTable(t("rates.clients"), [t("rates.client"), ...columns], clients, { numbers: [1, 2, 3], isCaptionHidden: true }) : h("p", { class: "soft" }, t("rates.none"))),
      officers.length ? makeSection(t("rates.officers"), makeTable(t("rates.officers"), [t("rates.officer"), ...columns], officers, { numbers: [1, 2, 3], isCaptionHidden: true })) : null,
    ),
  };
}

/**
 * Return the devices far above the others, by id, as the day's summary found them; none before it was counted.
 * @param {Requests} requests
 * @param {string} campaignId
 * @param {string} day
 * @returns {Promise<Map<string, {workers: number, usual: number | null}>>}
 */
async function readUnusualClients(requests, campaignId, day) {
  try {
    const { anomalies } = await requests.get(`${makePath("campaigns", campaignId, "summaries", day)}?format=json`);
    return new Map(anomalies.filter((/** @type {any} */ each) => each.pattern === "client_above_peers").map((/** @type {any} */ each) => [each.client_id, each]));
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return new Map();
    throw error;
  }
}

/** @param {{workers: number, usual: number | null} | undefined} found */
function describeUnusual(found) {
  if (found === undefined) return null;
  return h("span", { class: "beneath unusual", testid: "above-peers" }, t("rates.above", { workers: groupThousands(found.workers), usual: groupThousands(found.usual ?? 0) }));
}

/**
 * Return rates, those with most registrations first.
 * @param {Rate[]} rates
 */
function sort(rates) {
  return rates.toSorted((one, other) => other.registered - one.registered);
}

/**
 * @param {import("./parts.js").Child | import("./parts.js").Child[]} name
 * @param {Rate} rate
 */
function makeCells(name, { registered, paid, cancelled }) {
  return [name, groupThousands(registered), describeShare(paid, registered), describeShare(cancelled, registered + cancelled)];
}

/**
 * @param {number} part
 * @param {number} whole
 */
function describeShare(part, whole) {
  return whole ? t("rates.share", { number: groupThousands(part), percent: Math.round((100 * part) / whole) }) : groupThousands(part);
}
