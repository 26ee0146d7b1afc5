// The rescue file: all that is unsent, sealed so that only the server can open it.

import { RescueKeyMissing } from "../scripts/errors.js";
import { fromBase64, toBase64 } from "../store/base64.js";
import { compress } from "./api.js";
import { composeCapture } from "./sender.js";

const FORMAT = "daftar-rescue-1";
/** What the server takes in one file. */
const MOST = 5_000;

/**
 * Return a file with the captures that the server has not accepted, whoever made them. Nothing on the device
 * changes: the same captures may be sent, or exported, again. A file is of one client: where this device had
 * several ids, of one that it has no more. Raise RescueKeyMissing.
 * @param {import("../store/outbox.js").Outbox} outbox
 * @param {import("./session.js").Session} session
 * @param {string} release
 * @returns {Promise<import("../scripts/types.js").RescueFile>}
 */
export async function exportRescueFile(outbox, session, release) {
  const key = session.bundle?.rescue_key;
  if (!key) throw new RescueKeyMissing();
  const records = await outbox.listRecords(["waiting", "sending", "needs_fix"]);
  const current = session.device?.clientId ?? "";
  const clientId = records.find((record) => record.clientId !== current)?.clientId ?? current;
  const captures = [];
  for (const record of records.filter((each) => each.clientId === clientId).slice(0, MOST)) {
    const content = await outbox.openContent(record).catch(() => null);
    if (content) captures.push(composeCapture(record, content));
  }
  const exportedAt = new Date().toISOString();
  const document = {
    client_id: clientId,
    exported_at: exportedAt,
    app_version: release,
    clock_skew_seconds: session.clockSkewSeconds,
    captures,
  };
  const file = await sealForServer(key, JSON.stringify(document));
  return {
    blob: new Blob([JSON.stringify(file)], { type: "application/json" }),
    filename: `${clientId}-${exportedAt.replace(/[-:]|\.\d+/g, "")}.daftar`,
    count: captures.length,
    captureIds: captures.map((capture) => capture.capture_id),
  };
}

/**
 * Discard the captures of a file that this device may send no more, once a manager says that it was taken in.
 * @param {import("../store/outbox.js").Outbox} outbox
 * @param {import("./session.js").Session} session
 * @param {import("../scripts/types.js").RescueFile} file
 */
export async function dropRescued(outbox, session, { captureIds }) {
  const clientId = session.isRefused ? null : session.device?.clientId;
  await outbox.dropForeign(captureIds, clientId ?? null);
}

/**
 * Return a text that only the holder of the server's private key can read, as docs/http-api.md describes it.
 * @param {{key_id: string, public_key: string}} key
 * @param {string} text
 */
async function sealForServer({ key_id, public_key }, text) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const serverPoint = fromBase64(public_key);
  const serverKey = await crypto.subtle.importKey("raw", serverPoint, curve, false, []);
  const ephemeral = await crypto.subtle.generateKey(curve, false, ["deriveBits"]);
  const ephemeralPoint = new Uint8Array(await crypto.subtle.exportKey("raw", ephemeral.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: serverKey }, ephemeral.privateKey, 256);
  const material = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const salt = new Uint8Array([...ephemeralPoint, ...serverPoint]);
  const contentKey = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt, info: encode(FORMAT) },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const ciphertext = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: encode(`${FORMAT} ${key_id}`) },
    contentKey,
    await (await compress(text)).arrayBuffer(),
  );
  return {
    format: FORMAT,
    key_id,
    ephemeral_public_key: toBase64(ephemeralPoint),
    nonce: toBase64(nonce),
    ciphertext: toBase64(ciphertext),
  };
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text);
}
