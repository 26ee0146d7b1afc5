// The devices of a campaign: who was seen, who owes captures, and how one is enrolled, or revoked.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { groupThousands } from "../rules/rupiah.js";
import { h } from "../screens/elements.js";
import { formatDay } from "../texts/language.js";
import { formatMoment } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";
import { makeCodeCard } from "./device-code.js";
import { makeForm } from "./forms.js";
import { makeAction, makeConfirmedAction, makeFacts, makeLinksUp } from "./parts.js";

/** @typedef {import("../scripts/console.js").Console} Console */

// Seconds by which a clock may differ before it is shown as wrong.
const CLOCK_DIFFERENCE = 120;
const CHANNELS = ["kiosk", "van", "agent", "office"];
const MODES = ["officer", "kiosk"];
// What the queue holds of a device that did more, or other, than its peers.
const UNUSUAL_KINDS = ["client_above_peers", "client_over_cap", "client_unusual", "neighbouring_serials"];

/**
 * @param {Console} console
 * @param {string} campaignId
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeDevicesPage(console, campaignId) {
  const { requests } = console;
  const path = makePath("campaigns", campaignId);
  const campaign = await requests.get(path);
  const list = h("div");
  const fill = async () => {
    const [devices, items] = await Promise.all([requests.list(`${path}/devices`, "devices"), requests.list(`${path}/review-items`, "items")]);
    const unusual = items.filter((each) => UNUSUAL_KINDS.includes(each.kind));
    const rows = devices.map((each) => makeDevice(console, campaign, each, unusual.filter((item) => item.client_id === each.client_id)));
    list.replaceChildren(rows.length ? h("ul", { class: "rows" }, ...rows) : h("p", { class: "notice" }, t("devices.none")));
  };
  await fill();
  return {
    title: t("devices.title"),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaign.name]]),
    element: h("div", {}, makeNewDevice(console, campaign, fill), list),
  };
}

/**
 * Return the form for a device that the campaign does not have yet.
 * @param {Console} console
 * @param {import("./campaigns.js").Campaign} campaign
 * @param {() => Promise<void>} refresh Shows the list anew.
 */
function makeNewDevice({ requests }, { campaign_id: campaignId, zone }, refresh) {
  const place = h("div", { role: "status" });
  const form = makeForm(
    [
      { name: "client_id", label: t("field.client_id"), hint: t("devices.id_hint") },
      { name: "channel", label: t("devices.channel"), choices: CHANNELS.map((each) => [each, tOf("channel", each)]) },
      { name: "mode", label: t("devices.mode"), choices: MODES.map((each) => [each, tOf("device_mode", each)]) },
    ],
    {
      submit: t("devices.add"),
      testid: "new-device",
      onSubmit: async (values) => {
        const made = await requests.send("POST", makePath("campaigns", campaignId, "devices"), values);
        place.replaceChildren(makeCodeCard(made, null, zone, { isNew: true }));
        await refresh();
      },
    },
  );
  return h("details", { class: "new-device" }, h("summary", { testid: "add-device" }, t("devices.add")), form, place);
}

/**
 * @param {Console} console
 * @param {import("./campaigns.js").Campaign} campaign
 * @param {any} device
 * @param {any[]} unusual The items about it that nobody has looked at yet.
 */
function makeDevice(console, { campaign_id: campaignId, zone }, device, unusual) {
  const { client_id: clientId, roles, channel, clock_skew: skew } = device;
  const state = device.revoked_at ? "revoked" : device.silent_since ? "silent" : "in_use";
  return h(
    "li",
    { class: "row item", testid: "device-row", data: { clientId, state } },
    h("strong", { class: "item-kind" }, clientId),
    h("span", { class: `badge ${state}` }, tOf("device_state", state)),
    h("span", { class: "soft" }, roles.includes("viewer") ? t("devices.screen") : tOf("channel", channel)),
    makeFacts([
      [t("devices.last_seen"), formatMoment(device.last_seen_at, zone)],
      [t("devices.silent_since"), device.silent_since && formatMoment(device.silent_since, zone)],
      [t("devices.owed"), roles.includes("viewer") ? null : groupThousands(device.owed)],
      [t("devices.skew"), skew !== null && Math.abs(skew) >= CLOCK_DIFFERENCE ? t(skew > 0 ? "devices.fast" : "devices.slow", { minutes: Math.round(Math.abs(skew) / 60) }) : null],
      [t("devices.version"), device.app_version],
      [t("devices.token_ends"), formatMoment(device.revoked_at ?? device.expires_at, zone)],
    ]),
    unusual.length ? h("p", { class: "links" }, ...unusual.map((each) => h("a", { href: makeAddress("campaigns", campaignId, "review"), testid: "device-unusual" }, describeItem(each)))) : null,
    device.may_change && !device.revoked_at ? makeChanges(console, device, zone) : null,
  );
}

/** @param {{kind: string, day?: string | null}} item */
function describeItem({ kind, day }) {
  return [tOf("review_kind", kind), day && formatDay(day)].filter(Boolean).join(", ");
}

/**
 * @param {Console} console
 * @param {any} device
 * @param {string} zone
 */
function makeChanges(console, { client_id: clientId, roles }, zone) {
  const path = makePath("clients", clientId);
  const place = h("div", { class: "place" });
  const enrol = makeAction(t("devices.enrol"), async () => {
    const made = await console.requests.send("POST", `${path}/enrolment-codes`, {});
    place.replaceChildren(makeCodeCard(made, roles.includes("viewer") ? new URL("board", console.requests.root) : null, zone));
  }, { class: "button small", testid: "device-enrol" });
  const revoke = makeConfirmedAction(t("devices.revoke"), t("devices.ask", { client: clientId }), async () => {
    await console.requests.send("DELETE", path);
    await console.show(t("devices.revoked", { client: clientId }));
  }, { testid: "device-revoke" });
  return h("div", { class: "changes" }, h("div", { class: "buttons" }, enrol.button, revoke), enrol.outcome, place);
}
