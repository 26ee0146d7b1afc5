// The core system's decision on a correction that was asked for after the payment.

import { makePath } from "../scripts/addresses.js";
import { h } from "../screens/elements.js";
import { tOf } from "../texts/translate.js";
import { makeAction, makeFacts } from "./parts.js";
import { describeWanted } from "./values.js";

/** @typedef {import("../scripts/console.js").Console} Console */

/**
 * Return what is asked for, and the buttons that confirm or decline it.
 * @param {Console} console
 * @param {string} reference
 * @param {any} correction
 * @param {import("./values.js").Occupation[]} occupations
 */
export function makeDecision(console, reference, correction, occupations) {
  const path = makePath("registrations", reference, "corrections", correction.correction_id, "decision");
  const actions = ["confirmed", "declined"].map((decision) =>
    makeAction(tOf("decision", decision), async () => {
      await console.requests.send("POST", path, { decision });
      await console.show(tOf("decided", decision));
    }, { class: "button", testid: `decide-${decision}` }),
  );
  return h(
    "div",
    { class: "decision" },
    makeFacts(describeWanted(correction.wanted ?? {}, occupations)),
    h("div", { class: "buttons" }, ...actions.map((each) => each.button)),
    ...actions.map((each) => each.outcome),
  );
}
