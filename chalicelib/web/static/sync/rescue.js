// The rescue file: all that is unsent, sealed so that only the server can open it.

import { RescueKeyMissing } from "../scripts/errors.js";
import { compress } from "./api.js";
import { composeCapture } from "./sender.js";

const FORMAT = "daftar-rescue";
const FORMAT_VERSION = 1;

/**
 * Return a file with every capture that the server has not accepted, whoever made it. Nothing on the device
 * changes: the same captures may be sent, or exported, again. Raise RescueKeyMissing.
 * @param {import("../store/outbox.js").Outbox} outbox
 * @param {import("./session.js").Session} session
 * @param {string} release
 * @returns {Promise<import("../scripts/types.js").RescueFile>}
 */
export async function exportRescueFile(outbox, session, release) {
  const key = session.bundle?.rescue_key;
  if (!key) throw new RescueKeyMissing();
  const exportedAt = new Date().toISOString();
  const records = await outbox.listRecords(["waiting", "sending", "needs_fix"]);
  const captures = [];
  for (const record of records) {
    const content = await outbox.openContent(record).catch(() => null);
    if (content) captures.push({ client_id: record.clientId, capture: composeCapture(record, content) });
  }
  const document = {
    exported_at: exportedAt,
    clock_skew_seconds: session.clockSkewSeconds,
    app_version: release,
    captures,
  };
  const sealed = await sealForServer(key, JSON.stringify(document));
  const file = { format: FORMAT, version: FORMAT_VERSION, key_id: key.key_id, ...sealed };
  const blob = new Blob([JSON.stringify(file)], { type: "application/json" });
  return { blob, filename: `daftar-${exportedAt.replace(/[-:]|\.\d+/g, "")}.json`, count: captures.length };
}

/**
 * @param {{key_id: string, public_key: string}} key
 * @param {string} text
 */
async function sealForServer({ key_id, public_key }, text) {
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
  const publicKey = await crypto.subtle.importKey("spki", fromBase64(public_key), algorithm, false, ["encrypt"]);
  const contentKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = new TextEncoder().encode(`${FORMAT} ${FORMAT_VERSION} ${key_id}`);
  const content = await (await compress(text)).arrayBuffer();
  const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, contentKey, content);
  const rawKey = await crypto.subtle.exportKey("raw", contentKey);
  const wrapped = await crypto.subtle.encrypt(algorithm, publicKey, rawKey);
  return { wrapped_key: toBase64(wrapped), iv: toBase64(iv.buffer), ciphertext: toBase64(ciphertext) };
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
function toBase64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(text);
}
