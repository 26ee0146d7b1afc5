// Who is working on this device: the officer on shift, or nobody at a kiosk.

import { OfficerMalformed } from "../scripts/errors.js";
import { VALUES, readValue, transact, wait, writeValue } from "./database.js";
import { hashPin, requireRight, tryPin } from "./pins.js";

/** As the server wants it (`SubmitRegistration.officer`). */
const OFFICER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

const SHIFT = "shift";
const IDLE = 300_000;

/**
 * @typedef {{officer: string, since: string, locked: boolean, hasPin: boolean}} CurrentShift
 */

/** The shift. It is one for all tabs, and survives a reload: locked, where the officer has a PIN. */
export class Shift extends EventTarget {
  /**
   * @param {IDBDatabase} database
   * @param {import("./outbox.js").Outbox} outbox
   * @param {import("./tabs.js").Tabs} tabs
   */
  constructor(database, outbox, tabs) {
    super();
    this.database = database;
    this.outbox = outbox;
    this.tabs = tabs;
    /** @type {CurrentShift | null} */
    this.current = null;
    this.isUnattended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    tabs.addEventListener("shift", () => this.#read());
  }

  /** Read the shift that another page began, and lock it: nobody knows who has opened this one. */
  async load() {
    await this.#read();
    this.lock();
  }

  /**
   * Return whether this officer has a PIN on this device.
   * @param {string} officer
   */
  async isKnown(officer) {
    const stored = await readValue(this.database, pinName(officer));
    return Boolean(stored?.salt);
  }

  /**
   * Begin an officer's shift. The first PIN given is kept and demanded from then on; without one there is none.
   * Raise OfficerMalformed, WrongPin or PinTooWeak.
   * @param {string} officer
   * @param {string} pin
   */
  async signOn(officer, pin) {
    if (!OFFICER.test(officer)) throw new OfficerMalformed();
    if (await this.isKnown(officer)) await this.#check(officer, pin);
    else await writeValue(this.database, pinName(officer), await hashPin(pin));
    const hasPin = pin !== "";
    await this.#store({ officer, since: new Date().toISOString(), locked: false, hasPin });
    this.touch();
  }

  /**
   * Go on with a locked shift. Raise WrongPin.
   * @param {string} pin
   */
  async unlock(pin) {
    if (!this.current) return;
    await this.#check(this.current.officer, pin);
    await this.#store({ ...this.current, locked: false });
    this.touch();
  }

  /** Lock the shift until its officer enters the PIN. */
  lock() {
    clearTimeout(this.timer);
    if (this.current && this.current.hasPin && !this.current.locked) void this.#store({ ...this.current, locked: true });
  }

  /** Put the idle lock off: somebody is there. */
  touch() {
    clearTimeout(this.timer);
    if (this.current && !this.current.locked) this.timer = setTimeout(() => this.lock(), IDLE);
  }

  /** End the shift, drop its accepted captures from the list, and return what the device still owes. */
  async signOff() {
    clearTimeout(this.timer);
    if (this.current) await this.outbox.forgetAccepted(this.current.officer);
    await this.#store(null);
    return this.outbox.count();
  }

  /**
   * Have captures saved without an officer, or not any more.
   * @param {boolean} isEnabled
   */
  setUnattended(isEnabled) {
    this.isUnattended = isEnabled;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {string} officer
   * @param {string} pin
   */
  async #check(officer, pin) {
    const stored = await readValue(this.database, pinName(officer));
    const result = await tryPin(stored, pin, Date.now());
    await writeValue(this.database, pinName(officer), result.next);
    requireRight(result);
  }

  async #read() {
    this.current = (await readValue(this.database, SHIFT)) ?? null;
    this.touch();
    this.dispatchEvent(new Event("change"));
  }

  /** @param {CurrentShift | null} shift */
  async #store(shift) {
    this.current = shift;
    this.dispatchEvent(new Event("change"));
    await transact(this.database, [VALUES], "readwrite", async (transaction) => {
      const values = transaction.objectStore(VALUES);
      if (shift) await wait(values.put(shift, SHIFT));
      else await wait(values.delete(SHIFT));
    });
    this.tabs.tell("shift");
  }
}

/** @param {string} officer */
function pinName(officer) {
  return `pin ${officer}`;
}
