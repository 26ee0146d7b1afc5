// The outbox of the officer on shift: every capture with its state, and what can be done about it.

import { findLocalTime } from "../rules/dates.js";
import { makeShortCode } from "../rules/short-codes.js";
import { DISCARD_REASONS } from "../store/records.js";
import { t, tOf } from "../texts/translate.js";
import { button, choiceGroup, h, makeId, tile } from "./elements.js";
import { describeFinding } from "./form.js";
import { makeRescue } from "./rescue.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/types.js").CaptureSummary} CaptureSummary */

// As many rows as a day has; older ones stand behind.
const SHOWN = 300;

/**
 * Return the list, which `update` fills.
 * @param {App} app
 * @param {{onFix: (capture: CaptureSummary) => Promise<void>, onShow: (capture: CaptureSummary) => void}} actions
 */
export function makeQueue(app, actions) {
  const count = h("strong", { testid: "queue-count", class: "count" }, "0");
  const state = h("p", { class: "hint", role: "status" });
  const list = h("ul", { class: "captures" });
  const empty = h("p", { class: "hint" }, t("queue.empty"));
  const syncNow = button(t("queue.sync_now"), () => void app.device.sender.sendNow(), { testid: "sync-now" });
  const element = h(
    "section",
    { class: "card queue", testid: "queue", "aria-label": t("queue.title") },
    h("div", { class: "queue-head" }, h("h2", {}, t("queue.title")), h("p", {}, count, ` ${t("queue.unsent")}`)),
    state,
    list,
    empty,
    h("div", { class: "queue-actions" }, syncNow, makeRescue(app)),
  );
  /** @type {Map<string, {key: string, element: HTMLElement}>} */
  const rows = new Map();
  /** The capture that was discarded last: the focus goes to the way back. */
  let discarded = "";
  /** @param {CaptureSummary} capture */
  const onDiscard = ({ captureId }) => {
    discarded = captureId;
    void app.run(app.device.outbox.discard(captureId, DISCARD_REASONS[0]));
  };

  async function update() {
    const captures = (await app.device.outbox.list()).reverse().slice(0, SHOWN);
    count.textContent = String(app.counts.unsent);
    state.textContent = describeSender(app);
    empty.hidden = captures.length > 0;
    state.hidden = captures.length + app.counts.unsent === 0;
    const elements = captures.map((capture) => {
      // The reason is chosen in the row itself, which stays while it is.
      const key = JSON.stringify({ ...capture, ...(capture.undoable ? { discardReason: "" } : {}) });
      const known = rows.get(capture.captureId);
      // A row that says the same stays, with the focus and the question that may be open in it.
      if (known?.key === key) return known.element;
      const row = makeRow(app, capture, { ...actions, onDiscard });
      rows.set(capture.captureId, { key, element: row });
      return row;
    });
    const isSame = elements.length === list.children.length && elements.every((each, index) => each === list.children[index]);
    if (!isSame) list.replaceChildren(...elements);
    const undo = discarded && rows.get(discarded)?.element.querySelector("[data-testid=discard-undo]");
    if (undo instanceof HTMLElement) {
      discarded = "";
      undo.focus();
    }
  }

  return { element, update };
}

/** @param {App} app */
function describeSender(app) {
  const { sender, session } = app.device;
  if (sender.state === "refused" || session.state === "revoked") return t("sender.refused");
  if (sender.state === "sending") return t("sender.sending");
  if (sender.lastError === "unreachable") return t("sender.unreachable");
  if (app.counts.waiting + app.counts.sending > 0) return t("sender.waiting");
  if (app.counts.needs_fix > 0) return t("sender.refused_some", { count: app.counts.needs_fix });
  const zone = app.bundle?.campaign.zone;
  return sender.lastSuccessAt && zone ? t("sender.done", { time: findLocalTime(sender.lastSuccessAt, zone) }) : t("sender.idle");
}

/**
 * @param {App} app
 * @param {CaptureSummary} capture
 * @param {{onFix: (capture: CaptureSummary) => Promise<void>, onShow: (capture: CaptureSummary) => void, onDiscard: (capture: CaptureSummary) => void}} actions
 */
function makeRow(app, capture, { onFix, onShow, onDiscard }) {
  const { captureId, state, reference, outcome } = capture;
  const zone = app.bundle?.campaign.zone ?? "Asia/Jakarta";
  const isDraft = state === "draft";
  const buttons = h("div", { class: "buttons" });
  const errors = capture.state === "needs_fix" || capture.problem ? describeProblem(app, capture) : [];
  if (isDraft || capture.mendable) buttons.append(button(t(isDraft ? "queue.continue" : "queue.fix"), () => app.run(onFix(capture)), { testid: "fix" }));
  if (isDraft || capture.discardable) {
    // One tap: it can be taken back for a while, and the reason be chosen meanwhile.
    buttons.append(button(t("queue.discard"), () => onDiscard(capture), { testid: "discard", class: "button quiet" }));
  }
  if (state === "accepted") buttons.append(button(t("queue.receipt"), () => onShow(capture), { class: "button quiet" }));
  return h(
    "li",
    { class: `capture ${state}`, testid: "queue-item", data: { captureId, state } },
    h("p", { class: "capture-head" },
      h("span", { class: `badge ${state}` }, tOf("state", state)),
      h("span", { class: "code" }, makeShortCode(captureId)),
      h("time", {}, findLocalTime(Date.parse(capture.capturedAt), zone)),
      capture.sequence ? h("span", { class: "hint" }, t("queue.number", { number: capture.sequence })) : null,
    ),
    reference ? h("p", {}, `${outcome ? tOf("outcome", outcome) : ""} `, h("strong", { testid: "item-reference", class: "reference" }, reference)) : null,
    capture.differs.length ? h("p", { class: "hint" }, t("queue.differs", { fields: capture.differs.map((each) => tOf("field", each)).join(", ") })) : null,
    errors.length ? h("div", { testid: "item-error", class: "error" }, ...errors.map((each) => h("p", {}, each))) : null,
    capture.discardReason && !capture.undoable ? h("p", { class: "hint" }, describeReason(capture.discardReason)) : null,
    buttons.children.length ? buttons : null,
    capture.undoable ? askReason(app, capture) : null,
  );
}

/** @param {string} reason */
function describeReason(reason) {
  return tOf("reason", reason.split(":")[0]);
}

/**
 * Return why the server did not take a capture in, in the words of the officer.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
function describeProblem(app, { problem }) {
  if (!problem) return [];
  const messages = app.bundle?.field_messages ?? {};
  const errors = (problem.errors ?? []).map((each) => `${tOf("field", shorten(each.field))}: ${describeFinding(each, messages)}`);
  return errors.length ? errors : [problem.title ?? tOf("failure", problem.code)];
}

/**
 * Return the name of a field without its group and position: `worker.nik` is `nik`.
 * @param {string} path
 */
function shorten(path) {
  const parts = path.split(".").filter((part) => !/^\d+$/.test(part));
  return parts.at(-1) ?? path;
}

/**
 * Return the question why a capture was discarded, with the way back.
 * @param {App} app
 * @param {CaptureSummary} capture
 */
function askReason(app, { captureId, discardReason }) {
  const { outbox } = app.device;
  const name = makeId();
  const options = DISCARD_REASONS.map((each) => {
    const option = tile({ type: "radio", name, checked: each === discardReason }, tOf("reason", each));
    option.input.addEventListener("change", () => void app.run(outbox.discard(captureId, each)));
    return option.element;
  });
  const group = choiceGroup(t("queue.discard_why"), [h("div", { class: "tiles narrow" }, ...options)], { hint: t("queue.discard_hint") });
  const undo = button(t("queue.undo"), () => void app.run(outbox.takeBack(captureId)), { testid: "discard-undo" });
  return h("div", { class: "ask" }, group.element, h("div", { class: "buttons" }, undo));
}
