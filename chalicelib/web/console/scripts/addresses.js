// The pages by the fragments of their addresses. A fragment holds ids of campaigns, days, references and devices,
// and never anything of a worker.

import { makeCampaignFormPage } from "../pages/campaign-form.js";
import { makeCampaignPage } from "../pages/campaign.js";
import { makeCampaignsPage } from "../pages/campaigns.js";
import { makeComparePage } from "../pages/compare.js";
import { makeCorrectionsPage } from "../pages/corrections.js";
import { makeDayPage } from "../pages/day.js";
import { makeDevicesPage } from "../pages/devices.js";
import { makeRatesPage } from "../pages/rates.js";
import { makeRegistrationPage } from "../pages/registration.js";
import { makeReviewPage } from "../pages/review.js";
import { makeScreensPage } from "../pages/screens.js";
import { makeSearchPage } from "../pages/search.js";

/** @typedef {import("./console.js").Console} Console */
/** @typedef {import("./console.js").Page} Page */

/** @type {[RegExp, (console: Console, ...parts: string[]) => Page | Promise<Page>][]} */
const PAGES = [
  [/^campaigns$/, makeCampaignsPage],
  [/^campaigns\/new$/, makeCampaignFormPage],
  [/^campaigns\/([^/]+)$/, makeCampaignPage],
  [/^campaigns\/([^/]+)\/change$/, makeCampaignFormPage],
  [/^campaigns\/([^/]+)\/days\/([^/]+)$/, makeDayPage],
  [/^campaigns\/([^/]+)\/days\/([^/]+)\/versions\/(\d+)$/, makeDayPage],
  [/^campaigns\/([^/]+)\/days\/([^/]+)\/rates$/, makeRatesPage],
  [/^campaigns\/([^/]+)\/devices$/, makeDevicesPage],
  [/^campaigns\/([^/]+)\/review$/, makeReviewPage],
  [/^campaigns\/([^/]+)\/review\/([a-z_]+)$/, makeReviewPage],
  [/^campaigns\/([^/]+)\/screens$/, makeScreensPage],
  [/^compare$/, makeComparePage],
  [/^compare\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)$/, makeComparePage],
  [/^corrections$/, makeCorrectionsPage],
  [/^search$/, makeSearchPage],
  [/^registrations\/([^/]+)$/, makeRegistrationPage],
];

/**
 * Return the page of a fragment, or the first page of the caller.
 * @param {Console} console
 * @param {string} fragment
 */
export async function openPage(console, fragment) {
  const path = fragment.replace(/^#\/?/, "");
  for (const [pattern, makePage] of PAGES) {
    const found = pattern.exec(path);
    if (found) return makePage(console, ...found.slice(1).map(decode));
  }
  return console.session.hasRole("core") || console.session.hasRole("admin") ? makeSearchPage(console) : makeCampaignsPage(console);
}

/**
 * Return the fragment of a page.
 * @param {...string | number} parts
 */
export function makeAddress(...parts) {
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}`;
}

/**
 * Return a path of the API with its parts encoded: what is typed into the address bar names one thing, or nothing.
 * @param {...string | number} parts
 */
export function makePath(...parts) {
  // Dots alone would lead to another path.
  return ["v1", ...parts].map((part) => (/^\.+$/.test(String(part)) ? "-" : encodeURIComponent(part))).join("/");
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
