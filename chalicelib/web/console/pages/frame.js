// What surrounds every page: the brand, the ways to go, the language, and who is signed in.

import { button, h } from "../screens/elements.js";
import { getLanguage } from "../texts/language.js";
import { t } from "../texts/translate.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/** @param {Console} console */
export function makeFrame(console) {
  const nav = h("nav", { class: "ways" });
  const languages = /** @type {const} */ (["id", "en"]).map((language) =>
    button(language.toUpperCase(), () => console.chooseLanguage(language), {
      class: "language",
      testid: `language-${language}`,
      lang: language,
      "aria-label": { id: "ID, Bahasa Indonesia", en: "EN, English" }[language],
    }),
  );
  const who = h("span", { class: "who" });
  const signOut = button("", () => console.session.end("signed_out"), { class: "button quiet", testid: "sign-out" });
  const header = h(
    "header",
    { class: "top" },
    h("strong", { class: "brand" }, "BPJS Ketenagakerjaan"),
    nav,
    h("div", { class: "person" }, who, signOut),
    h("div", { class: "languages", role: "group", "aria-label": "Bahasa, language" }, ...languages),
  );
  const above = h("div", { class: "above" });
  const title = h("h1", { tabindex: "-1" });
  const main = h("main", { id: "main" });
  const busy = h("p", { class: "busy", role: "status" });
  const element = h("div", { class: "sheet" }, header, above, busy, main);

  function update() {
    const { caller } = console.session;
    nav.hidden = who.hidden = signOut.hidden = caller === null;
    nav.setAttribute("aria-label", t("frame.ways"));
    signOut.textContent = t("frame.sign_out");
    who.textContent = caller?.client_id ?? "";
    nav.replaceChildren(...listWays(console).map(([fragment, text]) => makeWay(fragment, text)));
    languages.forEach((each, index) => each.setAttribute("aria-pressed", String(getLanguage() === ["id", "en"][index])));
  }

  return {
    element,
    showBusy() {
      busy.textContent = t("frame.busy");
      main.setAttribute("aria-busy", "true");
    },
    /**
     * @param {import("../scripts/console.js").Page} page
     * @param {string} [said] What came of an action.
     */
    show(page, said) {
      busy.textContent = "";
      main.removeAttribute("aria-busy");
      update();
      title.textContent = page.title;
      document.title = `${page.title} - Daftar`;
      above.replaceChildren(...(page.above ? [page.above] : []));
      main.replaceChildren(title, ...(said ? [h("p", { class: "notice good", role: "status", testid: "said" }, said)] : []), page.element);
      scrollTo(0, 0);
      if (page.start) page.start();
      else title.focus({ preventScroll: true });
    },
  };
}

/**
 * Return the fragments and names of what a caller may open.
 * @param {Console} console
 * @returns {[string, string][]}
 */
function listWays({ session }) {
  const readsFigures = session.hasRole("manager") || session.hasRole("viewer");
  const readsPeople = ["manager", "core", "admin"].some((role) => session.hasRole(role));
  return [
    ...(readsFigures ? /** @type {[string, string][]} */ ([["#/campaigns", t("frame.campaigns")], ["#/compare", t("frame.compare")]]) : []),
    ...(session.hasRole("core") ? /** @type {[string, string][]} */ ([["#/corrections", t("frame.corrections")]]) : []),
    ...(readsPeople ? /** @type {[string, string][]} */ ([["#/search", t("frame.search")]]) : []),
  ];
}

/**
 * @param {string} fragment
 * @param {string} text
 */
function makeWay(fragment, text) {
  const isHere = location.hash === fragment || location.hash.startsWith(`${fragment}/`);
  return h("a", { href: fragment, "aria-current": isHere && "page" }, text);
}
