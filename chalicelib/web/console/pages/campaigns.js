// The campaigns of a manager, the newest first.

import { makeAddress } from "../scripts/addresses.js";
import { findLocalDay } from "../rules/dates.js";
import { h } from "../screens/elements.js";
import { formatDays } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";

/**
 * A campaign as the API has it.
 * @typedef {{campaign_id: string, name: string, branch: string, place: string, zone: string, first_day: string,
 *   last_day: string, accepts_until: string, summary_hour: number, target: number, sms_budget: number,
 *   managers: {name: string, email: string | null, phone: string | null}[],
 *   sponsors: {sponsor_id: string, name: string, quota: number | null}[]}} Campaign
 */

/**
 * @param {import("../scripts/console.js").Console} console
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeCampaignsPage({ session, requests }) {
  if (!session.hasRole("manager")) return makeViewersPage(session);
  /** @type {Campaign[]} */
  const campaigns = await requests.list("v1/campaigns", "campaigns");
  const rows = campaigns.reverse().map(makeRow);
  return {
    title: t("campaigns.title"),
    element: h(
      "div",
      {},
      h("p", { class: "buttons" }, h("a", { class: "button", href: "#/campaigns/new" }, t("campaigns.open"))),
      rows.length ? h("ul", { class: "rows" }, ...rows) : h("p", { class: "notice" }, t("campaigns.none")),
    ),
  };
}

/** @param {Campaign} campaign */
function makeRow(campaign) {
  const state = findState(campaign);
  return h(
    "li",
    { class: "row", testid: "campaign-row", data: { campaignId: campaign.campaign_id } },
    h("a", { class: "cover-link", href: makeAddress("campaigns", campaign.campaign_id) }, campaign.name),
    h("span", { class: `badge ${state}` }, tOf("campaign_state", state)),
    h("span", { class: "soft" }, [campaign.place, campaign.branch, formatDays(campaign)].join(" · ")),
  );
}

/** @param {Campaign} campaign */
function findState({ zone, first_day: first, last_day: last }) {
  const today = findLocalDay(Date.now(), zone);
  return today < first ? "planned" : today > last ? "over" : "running";
}

/**
 * A viewer may read the figures of its campaigns, but no list of them: it has their ids alone.
 * @param {import("../scripts/session.js").Session} session
 */
function makeViewersPage({ caller }) {
  const ids = (caller?.campaigns ?? []).filter((each) => each !== "*");
  const rows = ids.map((id) => h("li", { class: "row", testid: "campaign-row", data: { campaignId: id } }, h("a", { class: "cover-link", href: makeAddress("campaigns", id) }, id)));
  return { title: t("campaigns.title"), element: h("ul", { class: "rows" }, ...rows) };
}
