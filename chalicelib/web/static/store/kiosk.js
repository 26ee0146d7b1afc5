// Kiosk mode: nobody is on shift, and only the manager's code ends it.

import { PinTooWeak } from "../scripts/errors.js";
import { readValue, writeValue } from "./database.js";
import { hashPin, requireRight, tryPin } from "./pins.js";

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
    await writeValue(this.database, KIOSK, await hashPin(code));
    await this.shift.signOff();
    this.#show(true);
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

  /** @param {boolean} isActive */
  #show(isActive) {
    this.active = isActive;
    this.shift.setUnattended(isActive);
    this.dispatchEvent(new Event("change"));
  }
}
