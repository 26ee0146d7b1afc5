// What surrounds every screen: the brand, the language, the officer, and the warnings about the device.

import { findLocalDay } from "../rules/dates.js";
import { t } from "../texts/translate.js";
import { button, h } from "./elements.js";

/** @typedef {import("../scripts/app.js").App} App */

// Seconds by which a device's clock may differ from the server's before it is told.
const CLOCK_DIFFERENCE = 120;

/** @param {App} app */
export function makeFrame(app) {
  const languages = /** @type {const} */ (["id", "en"]).map((language) =>
    button(language.toUpperCase(), () => app.chooseLanguage(language), {
      class: "language",
      testid: `language-${language}`,
      lang: language,
      "aria-label": { id: "ID, Bahasa Indonesia", en: "EN, English" }[language],
    }),
  );
  const campaign = h("p", { class: "campaign" });
  const lock = button("", () => app.device.shift.lock(), { class: "button quiet" });
  const warnings = h("div", { class: "warnings", "aria-live": "polite" });
  const title = h("h1", { tabindex: "-1" });
  const main = h("main", { id: "main" });
  const header = h(
    "header",
    { class: "top" },
    h("div", { class: "brand" }, h("strong", {}, "BPJS Ketenagakerjaan"), campaign),
    lock,
    h("nav", { class: "languages", "aria-label": "Bahasa, language" }, ...languages),
  );
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const footer = h("footer", { class: "foot" });
  const element = h("div", { class: "frame" }, header, warnings, failure, main, footer);
  let lastWarnings = "";

  return {
    element,
    focusHeading: () => title.focus({ preventScroll: true }),
    /** @param {import("../scripts/app.js").Screen} screen */
    show(screen) {
      title.textContent = screen.title;
      main.className = screen.isWide ? "wide" : "";
      main.replaceChildren(title, screen.element);
      element.dataset.screen = screen.name;
    },
    update() {
      const { session, shift } = app.device;
      element.classList.toggle("large", app.isPublic);
      languages.forEach((each, index) => each.setAttribute("aria-pressed", String(app.language === ["id", "en"][index])));
      const { current } = shift;
      const isOpen = current !== null && !current.locked;
      campaign.textContent = [app.bundle?.campaign.name ?? t("app.what"), isOpen ? current.officer : ""].filter(Boolean).join(" · ");
      lock.hidden = !isOpen || !current.hasPin;
      lock.textContent = t("shift.lock");
      failure.hidden = app.failure === "";
      if (failure.textContent !== app.failure) failure.textContent = app.failure;
      const texts = listWarnings(app);
      const hasUpdate = mayUpdate(app);
      footer.replaceChildren(t("app.version", { version: app.device.release.slice(0, 8) || "–" }), ...(session.device ? [` · ${session.device.clientId}`] : []));
      // Read aloud only when something is new.
      const key = [...texts, app.language, hasUpdate].join();
      if (key === lastWarnings) return;
      lastWarnings = key;
      const notices = texts.map((text) => h("p", { class: "notice warn" }, text));
      warnings.replaceChildren(...notices, ...(hasUpdate ? [showUpdate(app)] : []));
    },
  };
}

/**
 * Return whether an officer may put a new release to use: while no form is open, which would begin anew. A kiosk
 * and a worker's own phone do so by themselves.
 * @param {App} app
 */
function mayUpdate({ device, isPublic, opened }) {
  return device.update.available && !isPublic && opened === null;
}

/** @param {App} app */
function showUpdate(app) {
  return h("p", { class: "notice" }, t("app.update"), " ", button(t("app.update_now"), () => app.device.update.apply(), { class: "button" }));
}

/**
 * Return what an officer must know of the device. The public is told nothing of it.
 * @param {App} app
 */
function listWarnings(app) {
  const { session } = app.device;
  if (app.isPublic || session.state === "none") return [];
  const skew = session.clockSkewSeconds ?? 0;
  const days = Math.max(0, Math.ceil(session.daysLeft ?? 0));
  const warnings = [
    !navigator.onLine && t("warning.offline"),
    session.state === "expiring" && t("warning.expiring", { days }),
    session.state === "expired" && t("warning.expired"),
    session.state === "revoked" && t("warning.revoked"),
    Math.abs(skew) >= CLOCK_DIFFERENCE && t(skew > 0 ? "warning.clock_fast" : "warning.clock_slow", { minutes: Math.round(Math.abs(skew) / 60) }),
    app.space?.low && t("warning.space_low"),
    app.space && !app.space.persistent && t("warning.not_persistent"),
    !app.bundle && t("warning.no_bundle"),
    app.bundle && isOutside(app.bundle.campaign) && t("warning.outside", { first: app.bundle.campaign.first_day, last: app.bundle.campaign.last_day }),
  ];
  return warnings.filter((each) => typeof each === "string");
}

/** @param {{zone: string, first_day: string, last_day: string}} campaign */
function isOutside({ zone, first_day: first, last_day: last }) {
  const day = findLocalDay(Date.now(), zone);
  return day < first || day > last;
}
