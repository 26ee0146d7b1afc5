// The wall board of a campaign, and the code by which a screen is paired with it.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { h } from "../screens/elements.js";
import { formatMoment } from "../texts/moments.js";
import { t } from "../texts/translate.js";
import { makeAction, makeLinksUp } from "./parts.js";

/**
 * @param {import("../scripts/console.js").Console} console
 * @param {string} campaignId
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeScreensPage({ requests }, campaignId) {
  const campaign = await requests.get(makePath("campaigns", campaignId));
  const place = h("div", { role: "status" });
  const { button, outcome } = makeAction(t("screens.make"), async () => {
    const screen = await requests.send("POST", makePath("campaigns", campaignId, "screens"));
    place.replaceChildren(makeCode(screen, new URL("board", requests.root), campaign.zone));
  }, { class: "button main", testid: "make-screen" });
  return {
    title: t("screens.title"),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaign.name]]),
    element: h("div", {}, h("p", {}, t("screens.what")), h("p", { class: "buttons" }, button), outcome, place),
  };
}

/**
 * @param {{client_id: string, code: string, expires_at: string}} screen
 * @param {URL} boardUrl Beside the console, whose address is right wherever it was opened.
 * @param {string} zone
 */
function makeCode({ client_id: clientId, code, expires_at: until }, boardUrl, zone) {
  return h(
    "div",
    { class: "card" },
    h("p", {}, t("screens.type"), " ", h("strong", {}, boardUrl.href)),
    h("p", { class: "code", testid: "screen-code" }, `${code.slice(0, 4)}-${code.slice(4)}`),
    h("p", { class: "soft" }, t("screens.until", { moment: formatMoment(until, zone), screen: clientId })),
    h("p", {}, h("a", { class: "button", href: `${boardUrl.href}#pair=${code}`, target: "_blank", rel: "noopener noreferrer", testid: "open-board" }, t("screens.open"))),
  );
}
