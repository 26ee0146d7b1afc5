// A QR code as a picture, dark on white in every colour scheme.

import { encodeQrCode } from "../scripts/qr-code.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4;

/**
 * @param {string} text
 * @param {string} label
 */
export function makeQr(text, label) {
  const modules = encodeQrCode(text);
  const size = modules.length + 2 * MARGIN;
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x + MARGIN} ${y + MARGIN}h1v1h-1z`] : []))).join(""));
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": label })) svg.setAttribute(name, value);
  svg.append(path);
  return svg;
}
