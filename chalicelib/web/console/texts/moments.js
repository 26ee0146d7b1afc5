// Instants and days as managers read them, in the zone of their campaign.

import { findLocalDay, findLocalTime } from "../rules/dates.js";
import { formatDay, getLanguage } from "./language.js";

/** @type {Record<string, string>} */
const ZONES = { "Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT" };
export const USUAL_ZONE = "Asia/Jakarta";

/**
 * Return an instant such as `9 Oktober 2024 pukul 21.00 WIB`, or a dash where there is none.
 * @param {string | null | undefined} instant
 * @param {string} [zone]
 */
export function formatMoment(instant, zone = USUAL_ZONE) {
  if (!instant) return "–";
  const milliseconds = Date.parse(instant);
  const time = findLocalTime(milliseconds, zone);
  const day = formatDay(findLocalDay(milliseconds, zone));
  return getLanguage() === "id" ? `${day} pukul ${time.replace(":", ".")} ${ZONES[zone]}` : `${day}, ${time} ${ZONES[zone]}`;
}

/**
 * Return the days of a campaign such as `9 Oktober 2024 – 10 Oktober 2024`.
 * @param {{first_day: string, last_day: string}} campaign
 */
export function formatDays({ first_day: first, last_day: last }) {
  return first === last ? formatDay(first) : `${formatDay(first)} – ${formatDay(last)}`;
}
