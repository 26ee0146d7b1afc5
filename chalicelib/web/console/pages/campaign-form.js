// Opening a campaign, and changing one. What the server would refuse is told at its field.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { h } from "../screens/elements.js";
import { t } from "../texts/translate.js";
import { makeForm } from "./forms.js";
import { makeLinksUp } from "./parts.js";

/** @typedef {import("./campaigns.js").Campaign} Campaign */

const ZONES = ["Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"];
const NUMBERS = ["target", "sms_budget", "summary_hour"];
const TEXTS = ["name", "branch", "place", "last_day", "accepts_until"];
// Said at the opening alone: they decide the day that a capture belongs to.
const FIXED = ["campaign_id", "zone", "first_day"];

/**
 * @param {import("../scripts/console.js").Console} console
 * @param {string} [campaignId] None to open a new one.
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeCampaignFormPage(console, campaignId) {
  const { requests } = console;
  /** @type {Campaign | null} */
  const campaign = campaignId === undefined ? null : await requests.get(makePath("campaigns", campaignId));
  const managers = makeLines("managers", (campaign?.managers ?? []).map((each) => [each.name, each.email ?? "", each.phone ?? ""]));
  const sponsors = makeLines("sponsors", (campaign?.sponsors ?? []).map((each) => [each.sponsor_id, each.name, each.quota === null ? "" : String(each.quota)]));
  const form = makeForm(listFields(campaign), {
    submit: t(campaign ? "campaign.save" : "campaigns.open"),
    testid: "campaign-form",
    extra: h("div", { class: "lists" }, managers.element, sponsors.element),
    onSubmit: async (values) => {
      const body = {
        ...convert(values),
        managers: managers.read().map(([name, email, phone]) => ({ name, email: email || null, phone: phone || null })),
        sponsors: sponsors.read().map(([sponsor_id, name, quota]) => ({ sponsor_id, name, quota: quota ? Number(quota) : null })),
      };
      if (campaign) await requests.send("PATCH", makePath("campaigns", campaign.campaign_id), body);
      else await requests.send("POST", "v1/campaigns", body);
      console.go(makeAddress("campaigns", campaign?.campaign_id ?? values.campaign_id));
    },
  });
  return {
    title: campaign ? t("campaign.change_title", { name: campaign.name }) : t("campaigns.open"),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], ...(campaign ? /** @type {[string, string][]} */ ([[makeAddress("campaigns", campaign.campaign_id), campaign.name]]) : [])]),
    element: h("div", {}, campaign && h("p", { class: "soft" }, t("campaign.change_hint")), form),
  };
}

/**
 * @param {Campaign | null} campaign
 * @returns {import("./forms.js").FieldSpec[]}
 */
function listFields(campaign) {
  const value = (/** @type {keyof Campaign} */ name) => /** @type {string | number | undefined} */ (campaign?.[name]);
  /** @type {import("./forms.js").FieldSpec[]} */
  const specs = [
    { name: "campaign_id", label: t("field.campaign_id"), hint: t("campaign.id_hint") },
    { name: "name", label: t("field.name"), value: value("name") },
    { name: "branch", label: t("field.branch"), value: value("branch") },
    { name: "place", label: t("field.place"), value: value("place") },
    { name: "zone", label: t("field.zone"), choices: ZONES.map((each) => [each, each]) },
    { name: "first_day", label: t("field.first_day"), type: "date" },
    { name: "last_day", label: t("field.last_day"), type: "date", value: value("last_day") },
    { name: "accepts_until", label: t("field.accepts_until"), type: "date", value: value("accepts_until"), hint: t("campaign.accepts_hint") },
    { name: "summary_hour", label: t("field.summary_hour"), type: "number", value: value("summary_hour") ?? 20 },
    { name: "target", label: t("field.target"), type: "number", value: value("target") },
    { name: "sms_budget", label: t("field.sms_budget"), type: "number", value: value("sms_budget"), hint: t("campaign.budget_hint") },
  ];
  return campaign ? specs.filter((each) => !FIXED.includes(each.name)) : specs;
}

/** @param {Record<string, string>} values */
function convert(values) {
  const kept = Object.entries(values).filter(([name]) => [...TEXTS, ...FIXED, ...NUMBERS].includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, NUMBERS.includes(name) ? Number(value) : value]));
}

/**
 * Return a list of lines, each of three values: managers, or sponsors.
 * @param {"managers" | "sponsors"} name
 * @param {string[][]} given
 */
function makeLines(name, given) {
  const columns = { managers: ["name", "email", "phone"], sponsors: ["sponsor_id", "name", "quota"] }[name];
  const lines = h("div", { class: "lines" });
  const labels = columns.map((column) => t(`field.${column}`));
  const add = (/** @type {string[]} */ values) => lines.append(makeLine(labels, values));
  given.forEach(add);
  const button = h("button", { type: "button", class: "button small" }, t(`campaign.add_${name}`));
  button.addEventListener("click", () => {
    add(["", "", ""]);
    lines.lastElementChild?.querySelector("input")?.focus();
  });
  return {
    element: h("fieldset", { class: "field" }, h("legend", { class: "label" }, t(`campaign.${name}`)), lines, button),
    /** Return the lines that are not empty. */
    read: () => [...lines.children].map((line) => [...line.querySelectorAll("input")].map((each) => each.value.trim())).filter((values) => values.some(Boolean)),
  };
}

/**
 * @param {string[]} labels
 * @param {string[]} values
 */
function makeLine(labels, values) {
  return h("div", { class: "line" }, ...labels.map((label, index) => h("input", { type: "text", autocomplete: "off", "aria-label": label, placeholder: label, value: values[index] })));
}
