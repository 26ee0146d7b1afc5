// The start of the web app.

import { openDevice } from "./device.js";
import { App } from "./app.js";
import { makeEnrolScreen } from "../screens/enrol.js";
import { makeKioskScreen } from "../screens/kiosk.js";
import { isMade, makeLinkScreen, makeSelfScreen } from "../screens/self.js";
import { makeSignOnScreen, makeUnlockScreen } from "../screens/sign-on.js";
import { makeStartScreen } from "../screens/start.js";
import { makeStatusScreen } from "../screens/status.js";
import { t } from "../texts/translate.js";
import { h } from "../screens/elements.js";

/** @typedef {import("./app.js").MakeScreen} MakeScreen */

const SPACE_CHECK = 600_000;
const REFRESH = 900_000;

const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** The code in the link that opened the app: of a worker's own registration, or of this device. */
const link = takeLink();
/** @type {MakeScreen} */
const showLink = (app) => makeLinkScreen(app, link?.code ?? "");
/** @type {MakeScreen} */
const showEnrolment = (app) => makeEnrolScreen(app, link?.code ?? "");
/** What a person on a phone of their own sees changes when the registration was made. @type {MakeScreen[]} */
const selfScreens = [(app) => makeSelfScreen(app), (app) => makeSelfScreen(app)];

/**
 * Return the maker of the screen that the state of a device asks for.
 * @type {(app: App) => MakeScreen}
 */
function chooseScreen(app) {
  const { session, shift, kiosk } = app.device;
  if (location.hash === "#status" && !kiosk.active) return makeStatusScreen;
  if (session.state === "none") return link?.kind === "self" ? showLink : showEnrolment;
  if (session.device?.mode === "self") return app.opened ?? selfScreens[isMade(app) ? 1 : 0];
  if (kiosk.active) return app.opened ?? makeKioskScreen;
  if (!shift.current) return makeSignOnScreen;
  if (shift.current.locked) return makeUnlockScreen;
  return app.opened ?? makeStartScreen;
}

/** Return the code in the address, and take it off the address and out of the history. */
function takeLink() {
  const found = /^#(self|enrol)=([A-Za-z0-9_-]{1,200})$/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, "", location.pathname);
  return { kind: found[1], code: found[2] };
}

async function start() {
  try {
    const device = await openDevice();
    const app = new App(device, root, chooseScreen);
    addEventListener("hashchange", () => void app.refresh());
    addEventListener("online", () => void device.session.refresh());
    setInterval(() => void device.session.refresh(), REFRESH);
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
