// One campaign: its days with their newest versions, and what a manager set up for it.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { findLocalDay } from "../rules/dates.js";
import { formatRupiah, groupThousands } from "../rules/rupiah.js";
import { h } from "../screens/elements.js";
import { formatDay } from "../texts/language.js";
import { formatDays, formatMoment, USUAL_ZONE } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";
import { makeDownloads } from "./downloads.js";
import { makeForm } from "./forms.js";
import { makeAction, makeConfirmedAction, makeFacts, makeLinksUp, makeSection, makeTable } from "./parts.js";

/** @typedef {import("../scripts/console.js").Console} Console */
/** @typedef {import("./campaigns.js").Campaign} Campaign */

/**
 * A day in the list: its newest summary, or none yet.
 * @typedef {{day: string, version?: number, state?: string, counted_at?: string, registered?: number, created?: number}} DayRow
 */

const WAYS = [["devices", "devices.title"], ["review", "review.title"], ["screens", "screens.title"], ["change", "campaign.change"]];
const DAY_MS = 86_400_000;

/**
 * @param {Console} console
 * @param {string} campaignId
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeCampaignPage(console, campaignId) {
  const { session, requests } = console;
  const isManager = session.hasRole("manager");
  const [campaign, summaries, held] = await Promise.all([
    isManager ? requests.get(makePath("campaigns", campaignId)) : null,
    requests.get(makePath("campaigns", campaignId, "summaries")),
    isManager ? requests.get(makePath("campaigns", campaignId, "held-sms")) : null,
  ]);
  const days = listDays(campaign, summaries.days);
  return {
    title: campaign?.name ?? campaignId,
    above: makeLinksUp([["#/campaigns", t("campaigns.title")]]),
    element: h(
      "div",
      {},
      campaign && makeHead(campaign),
      makeSection(t("campaign.days"), days.length ? h("ul", { class: "rows" }, ...days.map((day) => makeDayRow(console, campaignId, day, campaign?.zone))) : h("p", { class: "soft" }, t("campaign.no_days"))),
      held && makeBudget(console, campaignId, held),
      campaign && makeSponsors(campaign),
      campaign && makeManagers(campaign),
    ),
  };
}

/** @param {Campaign} campaign */
function makeHead(campaign) {
  return h(
    "div",
    {},
    h("p", { class: "soft" }, [campaign.place, t("campaign.branch", { branch: campaign.branch }), formatDays(campaign)].join(" · ")),
    makeFacts([
      [t("field.target"), groupThousands(campaign.target)],
      [t("field.accepts_until"), formatDay(campaign.accepts_until)],
      [t("field.summary_hour"), t("campaign.hour", { hour: campaign.summary_hour })],
      [t("field.sms_budget"), formatRupiah(campaign.sms_budget)],
    ]),
    h(
      "p",
      { class: "buttons" },
      ...WAYS.map(([name, text]) => h("a", { class: "button", href: makeAddress("campaigns", campaign.campaign_id, name) }, t(text))),
    ),
  );
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {DayRow} day
 * @param {string} [zone]
 */
function makeDayRow(console, campaignId, day, zone = USUAL_ZONE) {
  if (day.version === undefined) return makeUncountedRow(console, campaignId, day);
  return h(
    "li",
    { class: "row", testid: "day-row", data: { day: day.day } },
    h("a", { class: "cover-link", href: makeAddress("campaigns", campaignId, "days", day.day) }, formatDay(day.day)),
    h("span", { class: `badge ${day.state}` }, tOf("summary_state", day.state ?? "")),
    h("strong", { class: "count" }, t("campaign.registered", { number: groupThousands(day.registered ?? 0) })),
    h("span", { class: "soft" }, t("campaign.version", { version: day.version, moment: formatMoment(day.counted_at, zone) })),
    makeDownloads(console, campaignId, day.day),
  );
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {DayRow} day
 */
function makeUncountedRow(console, campaignId, { day }) {
  const { button, outcome } = makeAction(t("day.count"), async () => {
    await console.requests.send("POST", makePath("campaigns", campaignId, "summaries", day));
    console.show();
  }, { class: "button small" });
  return h("li", { class: "row", data: { day } }, h("span", { class: "cover-link" }, formatDay(day)), h("span", { class: "soft" }, t("campaign.uncounted")), h("div", { class: "downloads" }, button, outcome));
}

/**
 * Return the days of a campaign up to today, the newest first.
 * @param {Campaign | null} campaign Null where the caller may read the figures alone.
 * @param {DayRow[]} counted
 * @returns {DayRow[]}
 */
function listDays(campaign, counted) {
  if (campaign === null) return counted.toReversed();
  const today = findLocalDay(Date.now(), campaign.zone);
  const last = today < campaign.last_day ? today : campaign.last_day;
  const byDay = new Map(counted.map((each) => [each.day, each]));
  const days = [];
  for (let time = Date.parse(campaign.first_day); time <= Date.parse(last); time += DAY_MS) {
    const day = new Date(time).toISOString().slice(0, 10);
    days.push(byDay.get(day) ?? { day });
  }
  return days.reverse();
}

/**
 * Return what is left of the day's budget for SMS, and the SMS that are held.
 * @param {Console} console
 * @param {string} campaignId
 * @param {{held: Record<string, number>, budget_day: string, budget: number, committed: number}} found
 */
function makeBudget(console, campaignId, { held, budget_day: day, budget, committed }) {
  const reasons = Object.entries(held);
  const release = async () => {
    // One request has little time: it says if there are more.
    let released = 0;
    for (let isFinished = false; !isFinished; ) {
      const answer = await console.requests.send("POST", makePath("campaigns", campaignId, "held-sms"));
      released += answer.released;
      isFinished = answer.is_finished;
    }
    await console.show(t("budget.released", { number: released }));
  };
  return makeSection(
    t("budget.title"),
    makeFacts([
      [t("budget.of", { day: formatDay(day) }), formatRupiah(budget)],
      [t("budget.committed"), formatRupiah(committed)],
      [t("budget.held"), reasons.length ? reasons.map(([reason, number]) => `${groupThousands(number)}: ${tOf("sms_reason", reason)}`).join("; ") : "0"],
    ]),
    makeRaise(console, campaignId, budget),
    reasons.length ? makeConfirmedAction(t("budget.release"), t(held.receipts_silent ? "budget.ask_twice" : "budget.ask"), release, { testid: "release-sms" }) : null,
  );
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {number} budget
 */
function makeRaise(console, campaignId, budget) {
  const form = makeForm([{ name: "sms_budget", label: t("field.sms_budget"), type: "number", value: budget, hint: t("budget.raise_hint") }], {
    submit: t("campaign.save"),
    testid: "budget",
    onSubmit: async ({ sms_budget: amount }) => {
      await console.requests.send("PATCH", makePath("campaigns", campaignId), { sms_budget: Number(amount) });
      await console.show(t("budget.raised"));
    },
  });
  return h("details", { class: "raise" }, h("summary", { testid: "raise-budget" }, t("budget.raise")), form);
}

/** @param {Campaign} campaign */
function makeSponsors({ sponsors }) {
  if (sponsors.length === 0) return null;
  const rows = sponsors.map((each) => [each.name, each.sponsor_id, each.quota === null ? t("campaign.no_quota") : groupThousands(each.quota)]);
  return makeSection(t("campaign.sponsors"), makeTable(t("campaign.sponsors"), [t("field.name"), t("field.sponsor_id"), t("field.quota")], rows, { numbers: [2], isCaptionHidden: true }));
}

/** @param {Campaign} campaign */
function makeManagers({ managers }) {
  if (managers.length === 0) return null;
  const rows = managers.map((each) => [each.name, each.email ?? "–", each.phone ?? "–"]);
  return makeSection(t("campaign.managers"), makeTable(t("campaign.managers"), [t("field.name"), t("field.email"), t("field.phone")], rows, { isCaptionHidden: true }));
}
