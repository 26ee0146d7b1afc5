// The corrections that wait for the core system's decision, those that wait longest first.

import { makeAddress } from "../scripts/addresses.js";
import { h } from "../screens/elements.js";
import { formatMoment } from "../texts/moments.js";
import { t } from "../texts/translate.js";
import { makeDecision } from "./decision.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/**
 * @param {Console} console
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeCorrectionsPage(console) {
  const [corrections, occupations] = await Promise.all([console.requests.list("v1/corrections", "corrections"), console.readOccupations()]);
  const rows = corrections.map((each) =>
    h(
      "li",
      { class: "row item", testid: "open-correction", data: { reference: each.reference } },
      h("a", { class: "item-kind", href: makeAddress("registrations", each.reference) }, each.reference),
      h("span", { class: "soft" }, [each.campaign_id, t("corrections.asked", { who: each.client_id, moment: formatMoment(each.at) })].join(" · ")),
      h("p", { class: "note" }, each.reason),
      makeDecision(console, each.reference, each, occupations),
    ),
  );
  return {
    title: t("corrections.title"),
    element: h("div", {}, h("p", { class: "soft" }, t("corrections.what")), rows.length ? h("ul", { class: "rows" }, ...rows) : h("p", { class: "notice" }, t("corrections.none"))),
  };
}
