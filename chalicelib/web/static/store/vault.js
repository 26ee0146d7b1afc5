// Encryption of what is personal on this device, with keys that no script can read out.

import { VALUES, transact, wait } from "./database.js";

const KEYS = "keys";
const IV_BYTES = 12;

/**
 * A value that only this device can read.
 * @typedef {{iv: Uint8Array, ciphertext: ArrayBuffer}} Sealed
 */

/** Seals values under the device's key, and hashes NIKs under another. */
export class Vault {
  /**
   * @param {CryptoKey} sealingKey
   * @param {CryptoKey} hashingKey
   */
  constructor(sealingKey, hashingKey) {
    this.sealingKey = sealingKey;
    this.hashingKey = hashingKey;
  }

  /**
   * Return the vault of this device. The first one of several tabs to come makes the keys for all of them.
   * @param {IDBDatabase} database
   */
  static async open(database) {
    const proposed = {
      sealing: await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
      hashing: await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
    };
    const keys = await transact(database, [VALUES], "readwrite", async (transaction) => {
      const values = transaction.objectStore(VALUES);
      const stored = await wait(values.get(KEYS));
      if (stored) return stored;
      await wait(values.put(proposed, KEYS));
      return proposed;
    });
    return new Vault(keys.sealing, keys.hashing);
  }

  /**
   * Return a value sealed. It opens only under the same `label`, so that no two records can be swapped.
   * @param {string} label
   * @param {unknown} value What JSON can hold.
   * @returns {Promise<Sealed>}
   */
  async seal(label, value) {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const ciphertext = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: encode(label) },
      this.sealingKey,
      encode(JSON.stringify(value)),
    );
    return { iv, ciphertext };
  }

  /**
   * Return a sealed value. Raise OperationError where it was changed, or is another label's.
   * @param {string} label
   * @param {Sealed} sealed
   * @returns {Promise<any>}
   */
  async open(label, { iv, ciphertext }) {
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: new Uint8Array(iv), additionalData: encode(label) },
      this.sealingKey,
      ciphertext,
    );
    return JSON.parse(new TextDecoder().decode(plain));
  }

  /**
   * Return the keyed hash of a NIK, by its digits.
   * @param {string} nik
   */
  async hashNik(nik) {
    const digits = nik.normalize("NFKC").replace(/\D/g, "");
    const digest = await crypto.subtle.sign("HMAC", this.hashingKey, encode(digits));
    return Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text);
}
