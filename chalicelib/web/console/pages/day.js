// The page of a campaign day, as it is in the mail and on paper, with its versions and files.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { groupThousands } from "../rules/rupiah.js";
import { button, h } from "../screens/elements.js";
import { formatDay, getLanguage } from "../texts/language.js";
import { formatMoment, USUAL_ZONE } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";
import { makeDownloads } from "./downloads.js";
import { makeAction, makeLinksUp, makeTable } from "./parts.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {string} day
 * @param {string} [version] The newest if left out.
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeDayPage(console, campaignId, day, version) {
  const { requests, session } = console;
  const path = makePath("campaigns", campaignId, "summaries", day);
  const chosen = version ? `&version=${version}` : "";
  const isManager = session.hasRole("manager");
  const [{ blob }, { versions }, campaign] = await Promise.all([
    requests.load(`${path}?format=html&language=${getLanguage()}${chosen}`, "text/html"),
    requests.get(`${path}/versions`),
    isManager ? requests.get(makePath("campaigns", campaignId)) : null,
  ]);
  const shown = readPage(await blob.text());
  return {
    title: formatDay(day),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaign?.name ?? campaignId]]),
    element: h(
      "div",
      {},
      h(
        "div",
        { class: "tools" },
        makeDownloads(console, campaignId, day, version),
        button(t("day.print"), () => print(), { class: "button small" }),
        isManager && h("a", { class: "button small", href: makeAddress("campaigns", campaignId, "days", day, "rates") }, t("rates.title")),
        isManager && makeRecount(console, campaignId, day, path),
      ),
      makeVersions(campaignId, day, versions, version, campaign?.zone),
      h("div", { class: "day-page" }, shown),
    ),
  };
}

/**
 * Return the content of the page: what it holds of workers' and devices' names is text in it already, and its
 * style is the console's.
 * @param {string} html
 */
function readPage(html) {
  const parsed = new DOMParser().parseFromString(html.replace(/<style>[^]*?<\/style>/, ""), "text/html");
  const sheet = parsed.querySelector(".sheet");
  if (sheet === null) throw new Error("not the page of a day");
  // One heading and one main part to a page: those of the console.
  for (const each of sheet.querySelectorAll("h1")) each.remove();
  for (const each of sheet.querySelectorAll("main, header, footer")) {
    each.replaceWith(h("div", { class: `day-${each.localName}` }, ...each.childNodes));
  }
  return h("div", {}, ...[...sheet.childNodes].map((each) => document.adoptNode(each)));
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {string} day
 * @param {string} path
 */
function makeRecount(console, campaignId, day, path) {
  const { button: start, outcome } = makeAction(t("day.recount"), async () => {
    await console.requests.send("POST", path);
    console.go(makeAddress("campaigns", campaignId, "days", day));
  }, { class: "button small", testid: "recount" });
  return h("div", { class: "action" }, start, outcome);
}

/**
 * @param {string} campaignId
 * @param {string} day
 * @param {{version: number, state: string, counted_at: string, registered: number}[]} versions The newest first.
 * @param {string | undefined} chosen
 * @param {string} [zone]
 */
function makeVersions(campaignId, day, versions, chosen, zone = USUAL_ZONE) {
  const newest = versions[0].version;
  const rows = versions.map(({ version, state, counted_at: countedAt, registered }) => [
    h("a", { href: makeAddress("campaigns", campaignId, "days", day, "versions", version), "aria-current": String(version) === (chosen ?? String(newest)) && "page" }, t("day.version", { version })),
    h("span", { class: `badge ${state}` }, tOf("summary_state", state)),
    formatMoment(countedAt, zone),
    groupThousands(registered),
  ]);
  const columns = [t("day.version_column"), t("sms.state"), t("day.counted"), t("rates.registered")];
  return h("details", { class: "versions", open: chosen !== undefined }, h("summary", {}, t("day.versions", { number: newest })), makeTable(t("day.versions", { number: newest }), columns, rows, { numbers: [3], isCaptionHidden: true }));
}
