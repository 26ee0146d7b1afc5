// The search for one registration. What is typed is sent in the body of a request, never in an address.

import { makeAddress } from "../scripts/addresses.js";
import { describeFailure } from "../scripts/failures.js";
import { SignedOut } from "../scripts/requests.js";
import { field, h, textInput } from "../screens/elements.js";
import { formatMoment } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/**
 * @param {Console} console
 * @returns {import("../scripts/console.js").Page}
 */
export function makeSearchPage(console) {
  const { session } = console;
  const input = textInput({ testid: "search", maxlength: 80, type: "text" });
  const searched = field(t("search.label"), input, { hint: t(session.hasRole("core") || session.hasRole("admin") ? "search.hint_all" : "search.hint") });
  const results = h("div", { class: "results", "aria-live": "polite" });
  const submit = h("button", { type: "submit", class: "button main", testid: "search-submit" }, t("search.submit"));
  const form = h("form", { class: "card narrow", role: "search", autocomplete: "off", novalidate: true }, searched.element, h("div", { class: "buttons" }, submit));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    searched.showError(input.value.trim() ? null : t("search.missing"));
    if (!input.value.trim()) return;
    results.replaceChildren(h("p", {}, t("frame.busy")));
    try {
      const { registrations, has_more: hasMore } = await console.requests.send("POST", "v1/searches", { text: input.value.trim() });
      showResults(console, results, registrations, hasMore);
    } catch (error) {
      results.replaceChildren();
      if (!(error instanceof SignedOut)) searched.showError(describeFailure(error));
    }
  });
  return { title: t("search.title"), element: h("div", {}, form, results), start: () => input.focus() };
}

/**
 * @param {Console} console
 * @param {HTMLElement} results
 * @param {any[]} registrations
 * @param {boolean} hasMore
 */
function showResults(console, results, registrations, hasMore) {
  const canOpen = console.session.hasRole("manager") || console.session.hasRole("core");
  if (registrations.length === 1 && canOpen) return console.go(makeAddress("registrations", registrations[0].reference));
  if (registrations.length === 0) return results.replaceChildren(h("p", { class: "notice warn" }, t("search.none")));
  const rows = registrations.map((each) =>
    h(
      "li",
      { class: "row", testid: "search-result", data: { reference: each.reference } },
      canOpen ? h("a", { class: "cover-link", href: makeAddress("registrations", each.reference) }, each.reference) : h("span", { class: "cover-link" }, each.reference),
      h("span", { class: `badge ${each.status}` }, tOf("status", each.status)),
      h("span", {}, each.worker.name),
      h("span", { class: "soft" }, `${each.campaign_id} · ${formatMoment(each.captured_at)}`),
    ),
  );
  results.replaceChildren(h("ul", { class: "rows" }, ...rows), hasMore ? h("p", { class: "notice" }, t("search.more")) : "");
}
