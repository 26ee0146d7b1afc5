// What is on the screen: chosen by the state of the device, never by the address.

import { setLanguage, getLanguage, t } from "../texts/translate.js";
import { describeFailure } from "../screens/failures.js";
import { makeFrame } from "../screens/frame.js";

/**
 * A screen. `update` is called when the device's state has changed and the same screen stays.
 * @typedef {object} Screen
 * @property {string} name
 * @property {string} title
 * @property {HTMLElement} element
 * @property {() => void | Promise<void>} [update]
 * @property {() => void} [start] Called when it is on the screen; otherwise its heading gets the focus.
 * @property {() => void} [stop]
 * @property {boolean} [isWide]
 */

/** @typedef {(app: App) => Screen} MakeScreen */

/** The app: a device, and the screen that its state asks for. */
export class App {
  /**
   * @param {import("./types.js").Device} device
   * @param {HTMLElement} root
   * @param {(app: App) => MakeScreen} choose Return the maker of the screen for the state of the device.
   */
  constructor(device, root, choose) {
    this.device = device;
    this.root = root;
    this.choose = choose;
    /** What an officer opened; null for the start. @type {MakeScreen | null} */
    this.opened = null;
    /** @type {MakeScreen | null} */
    this.shown = null;
    /** @type {Screen | null} */
    this.screen = null;
    this.counts = { draft: 0, waiting: 0, sending: 0, accepted: 0, needs_fix: 0, discarded: 0, unsent: 0 };
    /** @type {import("./types.js").SpaceReport | null} */
    this.space = null;
    /** The receipts of this shift, by capture, with masked names. They are gone when the page is closed. @type {Map<string, import("../screens/receipt.js").Receipt>} */
    this.receipts = new Map();
    /** What could not be done, in words; empty once another screen is shown. */
    this.failure = "";
    this.officer = device.shift.current?.officer;
    this.frame = makeFrame(this);
    root.replaceChildren(this.frame.element);
    device.shift.addEventListener("change", () => this.#followShift());
    for (const source of [device.outbox, device.session, device.sender, device.shift, device.kiosk, device.update]) {
      source.addEventListener("change", () => this.refresh());
    }
    addEventListener("unhandledrejection", ({ reason }) => this.fail(reason));
    for (const name of ["online", "offline"]) addEventListener(name, () => this.refresh());
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => device.shift.touch(), { passive: true });
  }

  /** @returns {any} */
  get bundle() {
    return this.device.session.bundle;
  }

  /** Whether workers use this device by themselves. */
  get isPublic() {
    return this.device.kiosk.active || this.device.session.device?.mode === "self";
  }

  /**
   * Open a screen for the officer on shift, or the start.
   * @param {MakeScreen | null} makeScreen
   */
  open(makeScreen) {
    this.opened = makeScreen;
    this.shown = null;
    void this.refresh();
  }

  /**
   * Wait for what a tap began, and say so where it could not be done.
   * @param {Promise<unknown>} work
   */
  async run(work) {
    try {
      await work;
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.failure = describeFailure(error, { isUnattended: this.isPublic });
    this.frame.update();
  }

  /** Show the screen that the state asks for. One that is shown already is only updated. */
  async refresh() {
    this.counts = await this.device.outbox.count();
    const makeScreen = this.choose(this);
    if (makeScreen !== this.shown) this.#show(makeScreen);
    this.frame.update();
    await this.screen?.update?.();
  }

  /** @param {"id" | "en"} language */
  chooseLanguage(language) {
    this.device.language = language;
    setLanguage(language);
    document.documentElement.lang = language;
    this.shown = null;
    void this.refresh();
  }

  get language() {
    return getLanguage();
  }

  async checkSpace() {
    this.space = await this.device.checkSpace();
    this.frame.update();
  }

  /** Forget what an officer opened and the receipts, however and in whichever tab the shift has ended. */
  #followShift() {
    const officer = this.device.shift.current?.officer;
    if (officer === this.officer) return;
    this.officer = officer;
    this.opened = null;
    this.receipts.clear();
  }

  /** @param {MakeScreen} makeScreen */
  #show(makeScreen) {
    this.screen?.stop?.();
    this.failure = "";
    this.shown = makeScreen;
    this.screen = makeScreen(this);
    this.frame.show(this.screen);
    // The same title for everybody: titles are kept in the history.
    document.title = t("app.title");
    scrollTo(0, 0);
    if (this.screen.start) this.screen.start();
    else this.frame.focusHeading();
  }
}
