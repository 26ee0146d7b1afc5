// The page of a campaign day, as it is in the mail and on paper, with its versions and files.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { button, h } from "../screens/elements.js";
import { formatDay, getLanguage } from "../texts/language.js";
import { t } from "../texts/translate.js";
import { makeDownloads } from "./downloads.js";
import { makeAction, makeLinksUp } from "./parts.js";

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
  const [{ blob }, summaries] = await Promise.all([
    requests.load(`${path}?format=html&language=${getLanguage()}${chosen}`, "text/html"),
    requests.get(makePath("campaigns", campaignId, "summaries")),
  ]);
  const headline = summaries.days.find((/** @type {any} */ each) => each.day === day);
  const shown = readPage(await blob.text());
  return {
    title: formatDay(day),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaignId]]),
    element: h(
      "div",
      {},
      h(
        "div",
        { class: "tools" },
        makeDownloads(console, campaignId, day, version),
        button(t("day.print"), () => print(), { class: "button small" }),
        session.hasRole("manager") && makeRecount(console, campaignId, day, path),
        makeVersions(campaignId, day, headline?.version ?? 1, version),
      ),
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
 * @param {number} newest
 * @param {string | undefined} chosen
 */
function makeVersions(campaignId, day, newest, chosen) {
  const numbers = Array.from({ length: newest }, (_, index) => newest - index);
  const links = numbers.map((number) =>
    h("a", { href: makeAddress("campaigns", campaignId, "days", day, "versions", number), "aria-current": String(number) === (chosen ?? String(newest)) && "page" }, t("day.version", { version: number })),
  );
  return h("details", { class: "versions" }, h("summary", {}, t("day.versions", { number: newest })), h("nav", { "aria-label": t("day.versions", { number: newest }) }, ...links));
}
