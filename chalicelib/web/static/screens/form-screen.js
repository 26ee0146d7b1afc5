// The form as a screen: of an officer, at a kiosk, and on a worker's own phone.

import { makeForm } from "./form.js";
import { setLanguage } from "./form-consent.js";
import { tFor } from "./audience.js";

/** @typedef {import("../scripts/app.js").App} App */
/** @typedef {import("../scripts/app.js").Screen} Screen */
/** @typedef {import("./answers.js").Answers} Answers */
/** @typedef {import("./form.js").FormOptions} FormOptions */

/**
 * Open the form. It keeps its answers and its place when it is made again, in another language or after a lock.
 * @param {App} app
 * @param {Answers} answers
 * @param {Omit<FormOptions, "answers" | "bundle" | "place"> & {wrap?: (screen: Screen) => Screen, onPause?: () => void}} options
 *   `onPause`: store what was entered, because the tablet may not come back.
 */
export function openForm(app, answers, { wrap = (screen) => screen, onPause = () => undefined, ...options }) {
  const place = { position: 0 };
  app.open(() => {
    if (options.isUnattended) setLanguage(answers, app.language);
    const form = makeForm({ answers, place, bundle: app.bundle, ...options });
    const pause = () => void (document.visibilityState === "hidden" && onPause());
    document.addEventListener("visibilitychange", pause);
    onPause(); // What could not be stored while the screen was locked.
    const stop = () => {
      document.removeEventListener("visibilitychange", pause);
      form.stop();
    };
    return wrap({ name: "form", title: tFor(options)("form.title"), isWide: !options.isUnattended, ...form, stop });
  });
}
