// How long to wait before the next try. Pure.

const FIRST = 2_000;
const LONGEST = 300_000;

/**
 * Return the pause after some failures in a row: twice as long each time, up to five minutes, and anything from
 * half of it to all of it, so that the tablets of a market do not come back in one moment.
 * @param {number} failures
 * @param {number} random From 0 to 1.
 * @returns {number} Milliseconds.
 */
export function computePause(failures, random) {
  const whole = Math.min(LONGEST, FIRST * 2 ** Math.max(0, failures - 1));
  return Math.round(whole / 2 + (whole / 2) * random);
}
