// What is on the screen: the page that the fragment of the address names, or the sign-in.

import { describeFailure } from "./failures.js";
import { openPage } from "./addresses.js";
import { SignedOut } from "./requests.js";
import { button, h } from "../screens/elements.js";
import { makeFrame } from "../pages/frame.js";
import { makeSignInPage } from "../pages/sign-in.js";
import { getLanguage, setLanguage } from "../texts/language.js";
import { t } from "../texts/translate.js";

const LANGUAGE = "console-language";

/**
 * A page. `title` is its heading and that of the window.
 * @typedef {object} Page
 * @property {string} title
 * @property {Node} element
 * @property {() => void} [start] Called when it is on the screen; otherwise its heading gets the focus.
 * @property {Node} [above] What leads to the pages above it.
 */

export class Console {
  /**
   * @param {HTMLElement} root
   * @param {import("./session.js").Session} session
   * @param {import("./requests.js").Requests} requests
   * @param {string} release
   */
  constructor(root, session, requests, release) {
    this.session = session;
    this.requests = requests;
    this.release = release;
    /** What the last search found, for as long as the tab is open and nobody signed out. @type {any} */
    this.found = null;
    /** @type {import("../pages/values.js").Occupation[] | null} */
    this.occupations = null;
    this.turn = 0;
    setLanguage(sessionStorage.getItem(LANGUAGE) === "en" ? "en" : "id");
    this.frame = makeFrame(this);
    root.replaceChildren(this.frame.element);
  }

  start() {
    addEventListener("hashchange", () => this.show());
    this.session.addEventListener("end", (event) => {
      this.found = null;
      const reason = /** @type {CustomEvent} */ (event).detail;
      if (reason === "signed_out") history.replaceState(null, "", location.pathname);
      this.showSignIn(reason);
    });
    this.show();
  }

  /** @param {"id" | "en"} language */
  chooseLanguage(language) {
    setLanguage(language);
    sessionStorage.setItem(LANGUAGE, language);
    this.show();
  }

  /** @param {string} fragment Such as `#/search`. */
  go(fragment) {
    if (location.hash === fragment) this.show();
    else location.hash = fragment;
  }

  /** Return the list of occupations, which is read once: it is the same for everybody. */
  async readOccupations() {
    this.occupations ??= /** @type {import("../pages/values.js").Occupation[]} */ ((await this.requests.get("v1/occupations")).occupations);
    return this.occupations;
  }

  /**
   * Show the page of the address anew. Of two that are asked for, the later one is shown.
   * @param {string} [said] What came of an action, to be told above the page.
   */
  async show(said) {
    document.documentElement.lang = getLanguage();
    const turn = ++this.turn;
    if (this.session.token === null) return this.showSignIn(null);
    this.frame.showBusy();
    try {
      this.session.caller ??= await this.requests.get("v1/caller");
      const page = await openPage(this, location.hash);
      if (turn === this.turn) this.frame.show(page, said);
    } catch (error) {
      // Where the session has ended meanwhile, the sign-in is on the screen already.
      if (turn !== this.turn) return;
      if (error instanceof SignedOut) return this.showSignIn("refused");
      this.frame.show(this.#makeFailedPage(error));
    }
  }

  /** @param {import("./session.js").EndReason | null} reason */
  showSignIn(reason) {
    this.turn += 1;
    this.frame.show(makeSignInPage(this, reason));
  }

  /** @param {unknown} error */
  #makeFailedPage(error) {
    return {
      title: t("failed.title"),
      element: h("div", {}, h("p", { class: "notice bad" }, describeFailure(error)), button(t("failed.again"), () => this.show())),
    };
  }
}
