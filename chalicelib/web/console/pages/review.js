// What the system found for a manager to look at. It accuses nobody, and nothing was refused by it. Whoever
// asked for a person in a chat is answered here.

import { makeAddress, makePath } from "../scripts/addresses.js";
import { groupThousands } from "../rules/rupiah.js";
import { button, field, h, textInput } from "../screens/elements.js";
import { formatDay } from "../texts/language.js";
import { formatMoment } from "../texts/moments.js";
import { t, tOf } from "../texts/translate.js";
import { makeLinksUp, runAction } from "./parts.js";

/** @typedef {import("../scripts/console.js").Console} Console */

const STATES = ["open", "looked_at", "acted_on"];

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {string} [state]
 * @returns {Promise<import("../scripts/console.js").Page>}
 */
export async function makeReviewPage(console, campaignId, state = STATES[0]) {
  const { requests } = console;
  const [campaign, items] = await Promise.all([
    requests.get(makePath("campaigns", campaignId)),
    requests.list(`${makePath("campaigns", campaignId, "review-items")}?state=${encodeURIComponent(state)}`, "items"),
  ]);
  const states = STATES.map((each) => h("a", { href: makeAddress("campaigns", campaignId, "review", each), "aria-current": each === state && "page" }, tOf("review_state", each)));
  return {
    title: t("review.title"),
    above: makeLinksUp([["#/campaigns", t("campaigns.title")], [makeAddress("campaigns", campaignId), campaign.name]]),
    element: h(
      "div",
      {},
      h("p", { class: "soft" }, t("review.what")),
      h("nav", { class: "ways", "aria-label": t("review.states") }, ...states),
      items.length ? h("ul", { class: "rows" }, ...items.map((each) => makeItem(console, campaignId, each, campaign.zone))) : h("p", { class: "notice" }, t("review.none")),
    ),
  };
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {any} item
 * @param {string} zone
 */
function makeItem(console, campaignId, item, zone) {
  const figures = Object.entries(item.figures ?? {}).map(([name, number]) => `${tOf("review_figure", name)}: ${groupThousands(/** @type {number} */ (number))}`);
  const place = h("div", { class: "place" });
  const answer = item.is_answerable && button(t("review.answer"), () => {
    place.replaceChildren(makeAnswerForm(console, campaignId, item));
    place.querySelector("input")?.focus();
  }, { class: "button small", testid: "review-answer" });
  const open = button(t("review.judge"), () => {
    place.replaceChildren(makeForm(console, campaignId, item));
    place.querySelector("input")?.focus();
  }, { class: "button small", testid: "review-judge" });
  return h(
    "li",
    { class: "row item", testid: "review-item", data: { kind: item.kind, state: item.state } },
    h("strong", { class: "item-kind" }, tOf("review_kind", item.kind)),
    h("span", { class: "soft" }, [item.day && formatDay(item.day), item.client_id, item.sponsor_id, ...figures].filter(Boolean).join(" · ")),
    h("span", { class: "links" }, ...(item.references ?? []).map((/** @type {string} */ each) => h("a", { href: makeAddress("registrations", each) }, each))),
    item.note && h("p", { class: "note" }, item.note),
    h("span", { class: "soft" }, item.changed_by ? t("review.changed", { who: item.changed_by, moment: formatMoment(item.changed_at, zone) }) : t("review.opened", { moment: formatMoment(item.opened_at, zone) })),
    answer,
    open,
    place,
  );
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {any} item
 */
function makeAnswerForm(console, campaignId, item) {
  const input = textInput({ testid: "review-answer-text", maxlength: 1000 });
  const text = field(t("review.answer_text"), input, { hint: t("review.answer_hint") });
  const outcome = h("p", { class: "outcome", role: "status" });
  const path = `${makePath("campaigns", campaignId, "review-items", item.item_id)}/answer`;
  // One id for each text: whoever presses the button twice, or after a broken connection, answers once.
  let answerId = crypto.randomUUID();
  input.addEventListener("input", () => { answerId = crypto.randomUUID(); });
  const send = button(t("review.answer_send"), () => runAction(send, outcome, async () => {
    const answer = await console.requests.send("POST", path, { answer_id: answerId, text: input.value.trim() });
    return tOf("review_answer", answer.state);
  }), { class: "button", testid: "review-answer-send" });
  return h("div", { class: "card" }, text.element, h("div", { class: "buttons" }, send), outcome);
}

/**
 * @param {Console} console
 * @param {string} campaignId
 * @param {any} item
 */
function makeForm(console, campaignId, item) {
  const input = textInput({ testid: "review-note", maxlength: 500, value: item.note ?? "" });
  const note = field(t("review.note"), input, { hint: t("review.note_hint") });
  const outcome = h("p", { class: "outcome", role: "status" });
  const buttons = STATES.filter((each) => each !== item.state).map((state) => {
    const choice = button(tOf("review_action", state), () => runAction(choice, outcome, async () => {
      const typed = input.value.trim();
      await console.requests.send("PATCH", makePath("campaigns", campaignId, "review-items", item.item_id), { state, ...(typed ? { note: typed } : {}) });
      await console.show(tOf("review_done", state));
    }), { class: "button", testid: `review-${state}` });
    return choice;
  });
  return h("div", { class: "card" }, note.element, h("div", { class: "buttons" }, ...buttons), outcome);
}
