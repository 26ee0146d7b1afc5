// What several pages are built of: facts, tables, links up, and actions that say what came of them.

import { describeFailure } from "../scripts/failures.js";
import { SignedOut } from "../scripts/requests.js";
import { button, h } from "../screens/elements.js";
import { t } from "../texts/translate.js";

/** @typedef {import("../screens/elements.js").Child} Child */

/**
 * Return a list of facts. Those without a value are left out.
 * @param {[string, Child | Child[]][]} facts
 */
export function makeFacts(facts) {
  const rows = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/**
 * Return a table that scrolls by itself where the window is too narrow for it.
 * @param {string} caption
 * @param {string[]} columns
 * @param {(Child | Child[])[][]} rows The first cell of each names its row.
 * @param {{numbers?: number[], isCaptionHidden?: boolean}} [options] `numbers`: the columns that hold numbers.
 */
export function makeTable(caption, columns, rows, { numbers = [], isCaptionHidden = false } = {}) {
  const name = (/** @type {number} */ index) => (numbers.includes(index) ? "number" : "");
  const head = h("tr", {}, ...columns.map((column, index) => h("th", { scope: "col", class: name(index) }, column)));
  const body = rows.map((cells) =>
    h("tr", {}, ...cells.map((cell, index) => (index === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: name(index) }, cell)))),
  );
  const table = h("table", {}, h("caption", { class: isCaptionHidden ? "hidden" : "" }, caption), h("thead", {}, head), h("tbody", {}, ...body));
  return h("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": caption }, table);
}

/**
 * Return the links to the pages above this one.
 * @param {[string, string][]} links The fragment and the name of each.
 */
export function makeLinksUp(links) {
  return h("nav", { "aria-label": t("frame.above") }, ...links.map(([fragment, name]) => h("a", { href: fragment }, `‹ ${name}`)));
}

/**
 * Return a section with its heading.
 * @param {string} title
 * @param {...(Child | Child[])} children
 */
export function makeSection(title, ...children) {
  return h("section", { class: "part-of-page" }, h("h2", {}, title), ...children);
}

/**
 * Return a button for an action, with the place where its outcome is told. While it runs, it is not begun again.
 * @param {string} label
 * @param {() => Promise<string | void>} action Return what to say when it is done.
 * @param {Record<string, any>} [properties]
 */
export function makeAction(label, action, properties = {}) {
  const outcome = h("p", { class: "outcome", role: "status" });
  const start = button(label, () => runAction(start, outcome, action), properties);
  return { button: start, outcome };
}

/**
 * @param {HTMLButtonElement} start
 * @param {HTMLElement} outcome
 * @param {() => Promise<string | void>} action
 */
export async function runAction(start, outcome, action) {
  if (start.getAttribute("aria-disabled") === "true") return;
  start.setAttribute("aria-disabled", "true");
  outcome.className = "outcome";
  outcome.textContent = t("frame.busy");
  try {
    const said = await action();
    outcome.classList.add("good");
    outcome.textContent = said ?? "";
  } catch (error) {
    if (error instanceof SignedOut) return;
    outcome.classList.add("bad");
    outcome.textContent = describeFailure(error);
  } finally {
    start.removeAttribute("aria-disabled");
  }
}

/**
 * Return a button that asks once more before it acts.
 * @param {string} label
 * @param {string} question
 * @param {() => Promise<string | void>} action
 * @param {Record<string, any>} [properties]
 */
export function makeConfirmedAction(label, question, action, properties = {}) {
  const ask = h("div", { class: "ask", hidden: true });
  const { button: confirm, outcome } = makeAction(label, async () => {
    const said = await action();
    close();
    return said;
  }, { class: "button bad", ...properties, testid: properties.testid && `${properties.testid}-confirm` });
  const open = button(label, () => {
    ask.hidden = false;
    open.hidden = true;
    confirm.focus();
  }, { class: "button", ...properties });
  function close() {
    ask.hidden = true;
    open.hidden = false;
  }
  ask.append(h("p", {}, question), h("div", { class: "buttons" }, confirm, button(t("frame.cancel"), () => {
    close();
    open.focus();
  }, { class: "button quiet" })));
  return h("div", { class: "action" }, open, ask, outcome);
}

/**
 * Hand a file to the browser's downloads.
 * @param {{blob: Blob, filename: string}} file
 */
export function saveFile({ blob, filename }) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
