// The files of a day, by a click: the token travels in a header, so no link could do it.

import { makePath } from "../scripts/addresses.js";
import { getLanguage } from "../texts/language.js";
import { t } from "../texts/translate.js";
import { makeAction, saveFile } from "./parts.js";
import { h } from "../screens/elements.js";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/**
 * Return the buttons for the files of a day.
 * @param {import("../scripts/console.js").Console} console
 * @param {string} campaignId
 * @param {string} day
 * @param {string} [version]
 */
export function makeDownloads({ requests }, campaignId, day, version) {
  const path = makePath("campaigns", campaignId, "summaries", day);
  const query = (/** @type {string} */ rest) => `${path}?${rest}&language=${getLanguage()}${version ? `&version=${version}` : ""}`;
  const actions = [
    makeDownload("XLSX", "download-xlsx", query("format=xlsx"), XLSX),
    makeDownload("CSV", "download-csv", query("format=csv"), "text/csv"),
    makeDownload(t("day.csv_excel"), "download-csv-excel", query("format=csv&dialect=excel"), "text/csv"),
  ];

  /**
   * @param {string} label
   * @param {string} testid
   * @param {string} from
   * @param {string} mediaType
   */
  function makeDownload(label, testid, from, mediaType) {
    return makeAction(label, async () => {
      const file = await requests.load(from, mediaType);
      saveFile(file);
      return t("day.saved", { name: file.filename });
    }, { class: "button small", testid, "aria-label": t("day.download", { name: label, day }) });
  }

  return h("div", { class: "downloads" }, h("div", { class: "buttons" }, ...actions.map((each) => each.button)), ...actions.map((each) => each.outcome));
}
