// Days, ages and contribution months. A day is a text such as `2026-11-29`, a month one such as `2026-11`.

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/**
 * Return a day as text, or null if the calendar does not have it.
 * @param {number} year
 * @param {number} month
 * @param {number} day
 */
export function makeDay(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.toISOString().slice(0, 10) : null;
}

/**
 * Return true for a day that the calendar has, written YYYY-MM-DD.
 * @param {string} text
 */
export function isDay(text) {
  const found = DAY.exec(text);
  return found !== null && makeDay(Number(found[1]), Number(found[2]), Number(found[3])) === text;
}

/**
 * Return an instant as RFC 3339 writes it, with the offset of a zone: `2026-11-29T10:05:00+07:00`.
 * @param {number} instant Milliseconds since 1970.
 * @param {string} zone
 */
export function formatInstant(instant, zone) {
  const seconds = Math.floor(instant / 1000) * 1000;
  const local = readLocalTime(seconds, zone);
  const offset = Math.round((local - seconds) / 60_000);
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
  const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
  return `${new Date(local).toISOString().slice(0, 19)}${offset < 0 ? "-" : "+"}${hours}:${minutes}`;
}

/**
 * Return the local day of an instant in a zone.
 * @param {number} instant
 * @param {string} zone
 */
export function findLocalDay(instant, zone) {
  return new Date(readLocalTime(instant, zone)).toISOString().slice(0, 10);
}

/**
 * Return the local hour and minute of an instant in a zone, such as `09:12`.
 * @param {number} instant
 * @param {string} zone
 */
export function findLocalTime(instant, zone) {
  return new Date(readLocalTime(instant, zone)).toISOString().slice(11, 16);
}

/**
 * Return the time that clocks of a zone show, as if it were UTC.
 * @param {number} instant
 * @param {string} zone
 */
function readLocalTime(instant, zone) {
  const format = getFormat(zone);
  /** @type {Record<string, number>} */
  const parts = {};
  for (const part of format.formatToParts(instant)) parts[part.type] = Number(part.value);
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
}

/** To make one takes longer than all else that a letter typed into the form causes. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} zone */
function getFormat(zone) {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(zone, made);
  return made;
}

/**
 * Return the age in years on a day; a person born on 29 February is a year older on 1 March.
 * @param {string} day
 * @param {string} birthDate
 */
export function computeAge(day, birthDate) {
  const hadBirthday = day.slice(5) >= birthDate.slice(5);
  return Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4)) - (hadBirthday ? 0 : 1);
}

/**
 * Return contribution months, beginning with `firstMonth`.
 * @param {string} firstMonth
 * @param {number} count
 */
export function listMonths(firstMonth, count) {
  const first = Number(firstMonth.slice(0, 4)) * 12 + Number(firstMonth.slice(5)) - 1;
  return Array.from({ length: count }, (_, index) => {
    const year = String(Math.floor((first + index) / 12)).padStart(4, "0");
    return `${year}-${String(((first + index) % 12) + 1).padStart(2, "0")}`;
  });
}
