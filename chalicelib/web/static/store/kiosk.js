// Kiosk mode: nobody is on shift, and only the manager's code ends it.

import { PinTooWeak } from "../scripts/errors.js";
import { readValue, writeValue } from "./database.js";
import { hashPin, readHashedCode, requireRight, tryPin } from "./pins.js";

const KIOSK = "kiosk";

/** Whether this device is a kiosk. It stays one over reloads. Events: `change`. */
export class Kiosk extends EventTarget {
  /**
   * @param {IDBDatabase} database
   * @param {import("./shift.js").Shift} shift
   */
  constructor(database, shift) {
    super();
    this.database = database;
    this.shift = shift;
    this.active = false;
  }

  /** Read whether the device was a kiosk before. */
  async load() {
    this.#show(Boolean(await readValue(this.database, KIOSK)));
  }

  /**
   * End the shift, and make the device a kiosk. Raise PinTooWeak for a code that is no good PIN.
   * @param {string} code
   */
  async start(code) {
    if (code === "") throw new PinTooWeak();
    await this.#begin(await hashPin(code));
  }

  /**
   * Make the device a kiosk because the server says so, with the code that it made for leaving.
   * @param {{salt: string, iterations: number, hash: string}} exitCode
   */
  async startWith(exitCode) {
    await this.#begin(readHashedCode(exitCode));
  }

  /**
   * Make the kiosk an officer's device again. Raise WrongPin.
   * @param {string} code
   */
  async leave(code) {
    const result = await tryPin(await readValue(this.database, KIOSK), code, Date.now());
    await writeValue(this.database, KIOSK, result.isRight ? null : result.next);
    requireRight(result);
    this.#show(false);
  }

  /** @param {import("./pins.js").StoredPin} code */
  async #begin(code) {
    await writeValue(this.database, KIOSK, code);
    await this.shift.signOff();
    this.#show(true);
  }

  /** @param {boolean} isActive */
  #show(isActive) {
    this.active = isActive;
    this.shift.setUnattended(isActive);
    this.dispatchEvent(new Event("change"));
  }
}
