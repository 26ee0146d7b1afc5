// The code by which a device, a screen or a worker's own phone gets its token, as text and as QR codes.

import { h } from "../screens/elements.js";
import { formatMoment } from "../texts/moments.js";
import { t } from "../texts/translate.js";
import { makeQr } from "./qr.js";

const CODE_LENGTH = 8;

/**
 * @typedef {{code: string, url: string, app_url: string, odk_qr: string | null, expires_at: string, exit_code: string | null}} Code
 */

/**
 * Return the code for a device. One QR code opens the web app, the other sets up ODK Collect.
 * @param {Code} made
 * @param {URL | null} boardUrl Of a screen on a wall, which types its code at the board.
 * @param {string} zone
 * @param {{isNew?: boolean}} [options] `isNew`: the device has no token yet.
 */
export function makeCodeCard(made, boardUrl, zone, { isNew = false } = {}) {
  const { code, url, odk_qr: odk, expires_at: until, exit_code: exitCode } = made;
  const address = boardUrl?.href ?? made.app_url;
  const moment = formatMoment(until, zone);
  // A link is for workers' own phones: there is nothing to type.
  const isLink = code.length > CODE_LENGTH;
  const text = isLink
    ? [h("p", {}, t("devices.link")), h("p", { class: "note", testid: "device-link" }, url), h("p", { class: "soft" }, t("devices.link_until", { moment }))]
    : [
        h("p", {}, t("devices.type"), " ", h("strong", {}, address)),
        h("p", { class: "code", testid: "device-code" }, `${code.slice(0, 4)}-${code.slice(4)}`),
        h("p", { class: "soft" }, [t("devices.until", { moment }), isNew ? "" : t("devices.older")].join(" ")),
      ];
  const opened = boardUrl ? t("devices.qr_board") : isLink ? t("devices.qr_link") : t("devices.qr_app");
  return h(
    "div",
    { class: "card" },
    ...text,
    exitCode && h("p", {}, t("devices.exit_code", { code: exitCode })),
    h("div", { class: "codes" }, makeFigure(boardUrl ? `${address}#pair=${code}` : url, opened), odk && makeFigure(odk, t("devices.qr_odk"))),
  );
}

/**
 * @param {string} text
 * @param {string} label
 */
function makeFigure(text, label) {
  return h("figure", {}, makeQr(text, label), h("figcaption", {}, label));
}
