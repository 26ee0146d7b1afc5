// Two days, or two whole campaigns, side by side.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { formatRupiah, groupThousands } from "../rules/rupiah.js";
import { h } from "../screens/elements.js";
import { formatDay } from "../texts/language.js";
import { t } from "../texts/translate.js";
import { makeForm } from "./forms.js";
import { makeTable } from "./parts.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/**
 * Figures of a day or a campaign, by their names in the texts. Null where there is none.
 * @typedef {{title: string, figures: Record<string, number | null>}} Side
 */

const WHOLE = "all";
const AMOUNTS = ["quoted", "paid_amount", "sms_cost"];

/**
 * @param {Console} console
 * @param {...string} chosen Campaign and day of both sides; the day may be `all`.
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeComparePage(console, ...chosen) {
  const campaigns = await listCampaigns(console);
  const sides = chosen.length === 4 ? await Promise.all([readSide(console, chosen[0], chosen[1]), readSide(console, chosen[2], chosen[3])]) : null;
  return {
    title: t("compare.title"),
    element: h("div", {}, makeChoice(console, campaigns, chosen), sides && makeComparison(sides)),
  };
}

/**
 * @param {Console} console
 * @param {[string, string][]} campaigns
 * @param {string[]} chosen
 */
function makeChoice(console, campaigns, chosen) {
  const specs = [0, 2].flatMap((index) => /** @type {import("./forms.js").FieldSpec[]} */ ([
    { name: `campaign_${index}`, label: t(index ? "compare.second" : "compare.first"), choices: campaigns, value: chosen[index] },
    { name: `day_${index}`, label: t("compare.day"), type: "date", hint: t("compare.day_hint"), value: chosen[index + 1] === WHOLE ? "" : chosen[index + 1] },
  ]));
  return makeForm(specs, {
    submit: t("compare.submit"),
    testid: "compare",
    onSubmit: async (values) => {
      console.go(makeAddress("compare", values.campaign_0, values.day_0 ?? WHOLE, values.campaign_2, values.day_2 ?? WHOLE));
    },
  });
}

/** @param {Side[]} sides */
function makeComparison([first, second]) {
  const rows = Object.keys(first.figures)
    .filter((name) => name in second.figures)
    .map((name) => [t(`figure.${name}`), show(name, first.figures[name]), show(name, second.figures[name]), showDifference(name, first.figures[name], second.figures[name])]);
  return makeTable(t("compare.title"), [t("compare.figure"), first.title, second.title, t("compare.difference")], rows, { numbers: [1, 2, 3], isCaptionHidden: true });
}

/**
 * @param {string} name
 * @param {number | null} value
 */
function show(name, value) {
  if (value === null) return "–";
  return AMOUNTS.includes(name) ? formatRupiah(value) : groupThousands(value);
}

/**
 * @param {string} name
 * @param {number | null} first
 * @param {number | null} second
 */
function showDifference(name, first, second) {
  if (first === null || second === null) return "–";
  const difference = second - first;
  return `${difference > 0 ? "+" : difference < 0 ? "−" : ""}${show(name, Math.abs(difference))}`;
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {string} day
 * @returns {Promise<Side>}
 */
async function readSide({ requests }, campaignId, day) {
  const path = makePath("campaigns", campaignId, "summaries");
  if (day === WHOLE) {
    const { days } = await requests.get(path);
    const sum = (/** @type {string} */ name) => days.reduce((/** @type {number} */ total, /** @type {any} */ each) => total + each[name], 0);
    return { title: campaignId, figures: { registered: sum("registered"), created: sum("created"), days: days.length } };
  }
  const { counts, funnel, money, texts } = await requests.get(`${path}/${encodeURIComponent(day)}?format=json`);
  return {
    title: `${campaignId}, ${formatDay(day)}`,
    figures: {
      registered: counts.registered,
      created: counts.created,
      already_registered: counts.already_registered,
      refused: counts.refused,
      active: funnel.active,
      cancelled: funnel.cancelled,
      quoted: money.quoted,
      paid_amount: money.paid,
      sms: texts?.total ?? null,
      sms_cost: texts?.rupiah ?? null,
    },
  };
}

/**
 * Return the ids and names of the caller's campaigns, the newest first.
 * @param {Console} console
 * @returns {Promise<[string, string][]>}
 */
async function listCampaigns({ session, requests }) {
  if (!session.hasRole("manager")) return (session.caller?.campaigns ?? []).filter((each) => each !== "*").map((id) => [id, id]);
  const campaigns = await requests.list("v1/campaigns", "campaigns");
  return campaigns.reverse().map((each) => [each.campaign_id, each.name]);
}
