// The first page: the token that was given to a person, typed or pasted once into this tab.

import { describeFailure } from "../scripts/failures.js";
import { field, h, textInput } from "../screens/elements.js";
import { t } from "../texts/translate.js";
import { SignedOut } from "../scripts/requests.js";

// Roles of devices: they have the web app, or a program of their own.
const WITHOUT_CONSOLE = ["kiosk", "bot"];

/**
 * @param {import("../scripts/console.js").Console} console
 * @param {import("../scripts/session.js").EndReason | null} reason Why nobody is signed in any more.
 * @returns {import("../scripts/console.js").Page}
 */
export function makeSignInPage(console, reason) {
  const input = textInput({ testid: "console-token", type: "password", maxlength: 200, required: true });
  const token = field(t("sign_in.token"), input, { hint: t("sign_in.kept") });
  const submit = h("button", { type: "submit", class: "button main", testid: "console-sign-in" }, t("sign_in.submit"));
  const form = h("form", { class: "card narrow", autocomplete: "off", novalidate: true }, token.element, h("div", { class: "buttons" }, submit));
  let isBusy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    token.showError(null);
    try {
      await signIn(console, input.value);
      console.show();
    } catch (error) {
      token.showError(error instanceof SignedOut ? t("sign_in.refused") : error instanceof WithoutConsole ? t("sign_in.device") : describeFailure(error));
      input.focus();
    } finally {
      isBusy = false;
    }
  });
  const notice = reason === null || reason === "signed_out" ? null : h("p", { class: "notice warn", role: "status" }, t(reason === "idle" ? "sign_in.idle" : "sign_in.refused"));
  return { title: t("sign_in.title"), element: h("div", {}, notice, form), start: () => input.focus() };
}

/**
 * @param {import("../scripts/console.js").Console} console
 * @param {string} typed
 */
async function signIn({ session, requests }, typed) {
  if (!session.begin(typed)) throw new SignedOut();
  try {
    const caller = await requests.get("v1/caller");
    if (caller.roles.every((/** @type {string} */ role) => WITHOUT_CONSOLE.includes(role))) throw new WithoutConsole();
    session.caller = caller;
  } catch (error) {
    session.forget();
    throw error;
  }
}

class WithoutConsole extends Error {}
