// Bytes as text: base64url without padding, as the API writes them.

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
}

/**
 * @param {ArrayBuffer | Uint8Array} buffer
 * @returns {string}
 */
export function toBase64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = "";
  // In parts, because a call has no room for millions of arguments.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
