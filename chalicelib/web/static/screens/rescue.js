// The rescue file: all that is unsent, sealed for the server, whoever made it.

import { t } from "../texts/translate.js";
import { button, h } from "./elements.js";
import { describeFailure } from "./failures.js";

/** @typedef {import("../scripts/app.js").App} App */

/**
 * @param {App} app
 * @param {{isQuiet?: boolean}} [options] Quiet: only shown while the device may not send by itself.
 */
export function makeRescue(app, { isQuiet = false } = {}) {
  const message = h("div", { class: "rescue-message", role: "status" });
  const exportButton = button(t("rescue.export"), () => void exportFile(), { testid: "rescue-export", class: "button" });
  const element = h("div", { class: "rescue" }, exportButton, message);
  const { state } = app.device.session;
  if (isQuiet && state !== "revoked" && state !== "expired" && app.counts.unsent === 0) element.hidden = true;

  async function exportFile() {
    try {
      const file = await app.device.exportRescueFile();
      if (file.count === 0) return message.replaceChildren(h("p", {}, t("rescue.nothing")));
      download(file);
      message.replaceChildren(
        h("p", {}, t("rescue.done", { count: file.count, file: file.filename })),
        button(t("rescue.taken_in"), () => void drop(file), { class: "button quiet" }),
      );
    } catch (error) {
      message.replaceChildren(h("p", { class: "error" }, describeFailure(error)));
    }
  }

  /** @param {import("../scripts/types.js").RescueFile} file */
  async function drop(file) {
    await app.device.dropRescued(file);
    message.replaceChildren(h("p", {}, t("rescue.dropped")));
  }

  return element;
}

/** @param {import("../scripts/types.js").RescueFile} file */
function download({ blob, filename }) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: filename });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
