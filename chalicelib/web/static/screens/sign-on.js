// The start of a shift, and the way back into a locked one. The next officer sees numbers, never people.

import { t, tOf } from "../texts/translate.js";
import { button, field, h, textInput } from "./elements.js";
import { makeRescue } from "./rescue.js";

/** @typedef {import("../scripts/app.js").App} App */

/**
 * @param {App} app
 * @returns {import("../scripts/app.js").Screen}
 */
export function makeSignOnScreen(app) {
  const officerInput = textInput({ testid: "officer", maxlength: 40, autocapitalize: "off" });
  const officer = field(t("shift.officer_label"), officerInput, { hint: t("shift.officer_hint") });
  const pin = makePinField(t("shift.pin_optional"), t("shift.pin_hint"));
  const owed = h("p", { class: "notice", hidden: true });
  const form = h(
    "form",
    { class: "card narrow", autocomplete: "off", novalidate: true },
    officer.element,
    pin.element,
    h("button", { type: "submit", class: "button main", testid: "shift-start" }, t("shift.start")),
  );
  officerInput.addEventListener("change", async () => {
    const isKnown = await app.device.shift.isKnown(officerInput.value.trim());
    pin.element.querySelector("label")?.replaceChildren(isKnown ? t("shift.pin") : t("shift.pin_optional"));
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    officer.showError(null);
    pin.showError(null);
    if (!officerInput.value.trim()) return officer.showError(t("shift.officer_missing"));
    void app.device.session.refresh();
    try {
      await app.device.shift.signOn(officerInput.value.trim(), pin.input.value);
    } catch (error) {
      const { name } = /** @type {Error} */ (error);
      (name === "OfficerMalformed" ? officer : pin).showError(describePinFailure(error));
    }
  });
  return {
    name: "sign-on",
    title: t("shift.title"),
    element: h("div", {}, owed, form, makeCampaignChoice(app), makeRescue(app, { isQuiet: true })),
    start: () => officerInput.focus(),
    update: () => {
      owed.hidden = app.counts.unsent === 0;
      owed.textContent = t("shift.unsent", { count: app.counts.unsent });
    },
  };
}

/**
 * @param {App} app
 * @returns {import("../scripts/app.js").Screen}
 */
export function makeUnlockScreen(app) {
  const { shift } = app.device;
  const pin = makePinField(t("shift.pin"), t("shift.unlock_hint", { officer: shift.current?.officer ?? "" }));
  const form = h(
    "form",
    { class: "card narrow", autocomplete: "off", novalidate: true },
    pin.element,
    h("button", { type: "submit", class: "button main" }, t("shift.unlock")),
    button(t("shift.other_officer"), () => app.run(shift.signOff()), { class: "button quiet" }),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    pin.showError(null);
    try {
      await shift.unlock(pin.input.value);
    } catch (error) {
      pin.input.value = "";
      pin.showError(describePinFailure(error));
    }
  });
  return { name: "unlock", title: t("shift.locked"), element: form, start: () => pin.input.focus() };
}

/**
 * Return a field for a PIN or code of digits.
 * @param {string} label
 * @param {string} [hint]
 */
export function makePinField(label, hint) {
  const input = textInput({ type: "password", inputmode: "numeric", maxlength: 20, class: "digits short", autocomplete: "new-password" });
  return { ...field(label, input, { hint }), input };
}

/** @param {unknown} error */
export function describePinFailure(error) {
  const { name = "", waitSeconds = 0 } = /** @type {any} */ (error ?? {});
  if (name === "WrongPin") return waitSeconds > 0 ? t("failure.wrong_pin_wait", { seconds: Math.ceil(waitSeconds) }) : t("failure.WrongPin");
  return tOf("failure", name);
}

/** @param {App} app */
function makeCampaignChoice(app) {
  const { session } = app.device;
  const campaigns = session.device?.campaigns ?? [];
  if (campaigns.length < 2) return null;
  const select = h(
    "select",
    { autocomplete: "off" },
    ...campaigns.map((each) => h("option", { value: each.campaign_id, selected: each.campaign_id === session.device?.campaignId }, `${each.name} (${each.first_day})`)),
  );
  select.addEventListener("change", () => app.run(session.chooseCampaign(select.value)));
  return h("div", { class: "card narrow" }, field(t("shift.campaign"), select).element);
}
