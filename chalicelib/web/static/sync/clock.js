// The clock of this device against the server's. Pure but for the device's clock.

/**
 * Return by how many seconds the device is ahead of the server. The server's time is that of the middle of the
 * exchange, and `Date` has whole seconds: their middle is taken.
 * @param {string | null} date The header `Date` of an answer.
 * @param {number} sentAt
 * @param {number} answeredAt Both by the device, in milliseconds since the epoch.
 * @returns {number | null}
 */
export function measureSkew(date, sentAt, answeredAt) {
  const server = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(server)) return null;
  return Math.round(((sentAt + answeredAt) / 2 - (server + 500)) / 1000);
}
