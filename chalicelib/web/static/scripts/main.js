// The start of the web app.

import { openDevice } from "./device.js";
import { App } from "./app.js";
import { makeEnrolScreen } from "../screens/enrol.js";
import { makeKioskScreen } from "../screens/kiosk.js";
import { isMade, makeLinkScreen, makeSelfDoneScreen, makeSelfScreen } from "../screens/self.js";
import { makeSignOnScreen, makeUnlockScreen } from "../screens/sign-on.js";
import { makeStartScreen } from "../screens/start.js";
import { makeStatusScreen } from "../screens/status.js";
import { t } from "../texts/translate.js";
import { h } from "../screens/elements.js";

/** @typedef {import("./app.js").MakeScreen} MakeScreen */

const SPACE_CHECK = 600_000;
const REFRESH = 900_000;

const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** The screen for the code of a link that was opened: of a worker's own registration, or of this device. @type {MakeScreen} */
let showLink = makeLinkMaker(takeLink());

/**
 * Return the maker of the screen that the state of a device asks for.
 * @type {(app: App) => MakeScreen}
 */
function chooseScreen(app) {
  const { session, shift, kiosk } = app.device;
  if (location.hash === "#status" && !kiosk.active) return makeStatusScreen;
  if (session.state === "none") return showLink;
  if (session.device?.mode === "self") return app.opened ?? (isMade(app) ? makeSelfDoneScreen : makeSelfScreen);
  if (kiosk.active) return app.opened ?? makeKioskScreen;
  if (!shift.current) return makeSignOnScreen;
  if (shift.current.locked) return makeUnlockScreen;
  return app.opened ?? makeStartScreen;
}

/** Return the link in the address, and take whatever is there off the address and out of the history. */
function takeLink() {
  const { hash } = location;
  if (hash === "" || hash === "#status") return null;
  history.replaceState(null, "", location.pathname);
  const found = /^#(self|enrol)=([A-Za-z0-9_-]{1,200})$/.exec(hash);
  return found && { kind: found[1], code: found[2] };
}

/**
 * @param {{kind: string, code: string} | null} link
 * @returns {MakeScreen}
 */
function makeLinkMaker(link) {
  return (app) => (link?.kind === "self" ? makeLinkScreen(app, link.code) : makeEnrolScreen(app, link?.code ?? ""));
}

/**
 * Show what the new address asks for: a link may be opened while the app is open.
 * @param {App} app
 */
function followAddress(app) {
  const link = takeLink();
  if (link) showLink = makeLinkMaker(link);
  void app.refresh();
}

async function start() {
  try {
    const device = await openDevice();
    const app = new App(device, root, chooseScreen);
    addEventListener("hashchange", () => followAddress(app));
    for (const wake of [() => device.session.refresh(), () => device.update.check()]) {
      addEventListener("online", () => void wake());
      setInterval(() => void wake(), REFRESH);
    }
    setInterval(() => void app.checkSpace(), SPACE_CHECK);
    keepKioskOpen(app);
    await app.refresh();
    device.sender.start();
    void app.checkSpace();
    void device.session.refresh();
  } catch (error) {
    root.replaceChildren(h("main", {}, h("h1", {}, t("failure.start")), h("p", { role: "alert" }, t("failure.start_hint")), h("p", { class: "hint" }, error instanceof Error ? error.name : "")));
  }
}

/**
 * Keep the button that goes back from leaving the kiosk.
 * @param {App} app
 */
function keepKioskOpen(app) {
  const stay = () => app.device.kiosk.active && history.pushState(null, "", location.pathname);
  app.device.kiosk.addEventListener("change", stay);
  addEventListener("popstate", stay);
  stay();
}

await start();
