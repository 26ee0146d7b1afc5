// The one way in which the app writes an amount of money, in every language.

/**
 * Return an amount as written in Indonesia, without a space: `Rp16.800`.
 * @param {number} amount
 */
export function formatRupiah(amount) {
  return `Rp${groupThousands(amount)}`;
}

/**
 * Return a whole number with full stops between groups of three digits.
 * @param {number} amount
 */
export function groupThousands(amount) {
  return String(amount).replace(/\B(?=(\d{3})+$)/gu, ".");
}
