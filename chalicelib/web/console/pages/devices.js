// The devices of a campaign: who was seen, who owes captures, and how one is enrolled, or revoked.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { groupThousands } from "../rules/rupiah.js";
import { h } from "../screens/elements.js";
import { formatMoment } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";
import { makeAction, makeConfirmedAction, makeFacts, makeLinksUp } from "./parts.js";
import { makeQr } from "./qr.js";

/** @typedef {import("../scripts/console.js").Console} Console */

// Seconds by which a clock may differ before it is shown as wrong.
const CLOCK_DIFFERENCE = 120;

/**
 * @param {Console} console
 * @param {string} campaignId
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeDevicesPage(console, campaignId) {
  const { requests } = console;
  const [campaign, devices] = await Promise.all([
    requests.get(makePath("campaigns", campaignId)),
    requests.list(makePath("campaigns", campaignId, "devices"), "devices"),
  ]);
  return {
    title: t("devices.title"),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaign.name]]),
    element: devices.length ? h("ul", { class: "rows" }, ...devices.map((each) => makeDevice(console, each, campaign.zone))) : h("p", { class: "notice" }, t("devices.none")),
  };
}

/**
 * @param {Console} console
 * @param {any} device
 * @param {string} zone
 */
function makeDevice(console, device, zone) {
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
      [t("devices.owed"), device.owed === null ? null : groupThousands(device.owed)],
      [t("devices.skew"), skew !== null && Math.abs(skew) >= CLOCK_DIFFERENCE ? t(skew > 0 ? "devices.fast" : "devices.slow", { minutes: Math.round(Math.abs(skew) / 60) }) : null],
      [t("devices.version"), device.app_version],
      [t("devices.token_ends"), formatMoment(device.revoked_at ?? device.expires_at, zone)],
    ]),
    device.may_change && !device.revoked_at ? makeChanges(console, device, zone) : null,
  );
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
    place.replaceChildren(makeCode(made, roles.includes("viewer") ? new URL("board", console.requests.root) : null, zone));
  }, { class: "button small", testid: "device-enrol" });
  const revoke = makeConfirmedAction(t("devices.revoke"), t("devices.ask", { client: clientId }), async () => {
    await console.requests.send("DELETE", path);
    await console.show();
  }, { testid: "device-revoke" });
  return h("div", { class: "changes" }, h("div", { class: "buttons" }, enrol.button, revoke), enrol.outcome, place);
}

/**
 * Return the code for a device, as text and as QR codes: one opens the web app, the other sets up ODK Collect.
 * @param {any} made
 * @param {URL | null} boardUrl Of a screen on a wall, which types its code at the board.
 * @param {string} zone
 */
function makeCode({ code, url, app_url: appUrl, odk_qr: odk, expires_at: until, exit_code: exitCode }, boardUrl, zone) {
  const address = boardUrl?.href ?? appUrl;
  return h(
    "div",
    { class: "card" },
    h("p", {}, t("devices.type"), " ", h("strong", {}, address)),
    h("p", { class: "code", testid: "device-code" }, `${code.slice(0, 4)}-${code.slice(4)}`),
    h("p", { class: "soft" }, t("devices.until", { moment: formatMoment(until, zone) })),
    exitCode && h("p", {}, t("devices.exit_code", { code: exitCode })),
    h(
      "div",
      { class: "two" },
      h("figure", {}, makeQr(boardUrl ? `${address}#pair=${code}` : url, t("devices.qr_app")), h("figcaption", {}, t("devices.qr_app"))),
      odk && h("figure", {}, makeQr(odk, t("devices.qr_odk")), h("figcaption", {}, t("devices.qr_odk"))),
    ),
  );
}
