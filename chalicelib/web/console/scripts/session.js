// Who works in this tab: a token in the tab's own storage, which ends with the tab, by signing out, and after half
// an hour in which nobody touched the page.

const TOKEN = "console-token";
const SEEN_AT = "console-seen-at";
const IDLE_MS = 30 * 60_000;
const CHECK_MS = 10_000;
// What a header can hold.
const SENDABLE = /^[\x21-\x7e]+$/;

/** @typedef {"signed_out" | "idle" | "refused"} EndReason */

/**
 * Who the token belongs to, as `GET /v1/caller` says it.
 * @typedef {{client_id: string, roles: string[], campaigns: string[], expires_at: string | null}} Caller
 */

/** Event: `end`, with the reason as `detail`. */
export class Session extends EventTarget {
  /** @param {Storage} storage */
  constructor(storage) {
    super();
    this.storage = storage;
    /** @type {Caller | null} */
    this.caller = null;
    for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) {
      addEventListener(name, () => this.touch(), { capture: true, passive: true });
    }
    // A computer that slept runs no timer: what it shows is judged before it can be used.
    for (const name of ["visibilitychange", "focus", "pageshow"]) addEventListener(name, () => this.endIfIdle(), true);
    setInterval(() => this.endIfIdle(), CHECK_MS);
  }

  /** Return the token, or null if nobody is signed in, or nobody was here for too long. */
  get token() {
    this.endIfIdle();
    return this.storage.getItem(TOKEN);
  }

  /** @param {string} role */
  hasRole(role) {
    return this.caller?.roles.includes(role) ?? false;
  }

  /**
   * Keep a token. Return false if it is none: no header can hold it.
   * @param {string} typed
   */
  begin(typed) {
    const token = typed.trim();
    if (!SENDABLE.test(token)) return false;
    this.storage.setItem(TOKEN, token);
    this.storage.setItem(SEEN_AT, String(Date.now()));
    return true;
  }

  /** @param {EndReason} reason */
  end(reason) {
    const wasOpen = this.caller !== null;
    this.forget();
    if (wasOpen) this.dispatchEvent(new CustomEvent("end", { detail: reason }));
  }

  /** Drop the token and who it belongs to. */
  forget() {
    this.storage.removeItem(TOKEN);
    this.storage.removeItem(SEEN_AT);
    this.caller = null;
  }

  /** Say that somebody is there. */
  touch() {
    this.endIfIdle();
    if (this.storage.getItem(TOKEN) !== null) this.storage.setItem(SEEN_AT, String(Date.now()));
  }

  endIfIdle() {
    const seenAt = Number(this.storage.getItem(SEEN_AT));
    if (this.storage.getItem(TOKEN) !== null && Math.abs(Date.now() - seenAt) >= IDLE_MS) this.end("idle");
  }
}
