// The device's enrolment: its token, the campaign it works for, and what the server told it.

import { ApiProblem, Unreachable } from "../scripts/errors.js";
import { readValue, writeValue } from "../store/database.js";
import { raiseSequence } from "../store/sequences.js";

/** @typedef {import("../scripts/types.js").Bundle} Bundle */
/** @typedef {import("../scripts/types.js").DeviceIdentity} DeviceIdentity */

/**
 * @typedef {Object} StoredSession
 * @property {DeviceIdentity} device
 * @property {import("../store/vault.js").Sealed} token
 * @property {boolean} isRevoked
 * @property {number | null} skew
 */

const SESSION = "session";
const LABEL = "token";
const DAY = 86_400_000;
const RENEWAL_DAYS = 7;
/** Seconds. What is measured varies by the time of an answer: less than this is no news. */
const SKEW_STEP = 3;

/** The enrolment. It is one for all tabs. */
export class Session extends EventTarget {
  /**
   * @param {IDBDatabase} database
   * @param {import("../store/vault.js").Vault} vault
   * @param {import("./api.js").Api} api
   * @param {import("../store/tabs.js").Tabs} tabs
   */
  constructor(database, vault, api, tabs) {
    super();
    this.database = database;
    this.vault = vault;
    this.api = api;
    this.tabs = tabs;
    /** @type {Bundle | null} */
    this.bundle = null;
    /** @type {StoredSession | null} */
    this.stored = null;
    /** @type {string | null} */
    this.token = null;
    /** What the device does with the rest of an enrolment's answer. @type {(answer: any) => Promise<void>} */
    this.whenEnrolled = async () => {};
    /** The enrolments that were tried: one whose answer was lost may be repeated. @type {Map<string, string>} */
    this.enrolmentIds = new Map();
    tabs.addEventListener("session", () => this.load());
  }

  /** Read what is stored, at the start and when another tab changed it. */
  async load() {
    this.stored = (await readValue(this.database, SESSION)) ?? null;
    this.token = this.stored ? await this.vault.open(LABEL, this.stored.token) : null;
    await this.#readBundle();
    this.dispatchEvent(new Event("change"));
  }

  /** Take the bundle that is kept for the campaign, if there is one. */
  async #readBundle() {
    const kept = this.device && (await readValue(this.database, bundleName(this.device)));
    this.bundle = kept?.bundle ?? null;
  }

  /** @returns {DeviceIdentity | null} */
  get device() {
    return this.stored?.device ?? null;
  }

  /** The device's clock minus the server's, in seconds; null while unknown. */
  get clockSkewSeconds() {
    return this.stored?.skew ?? null;
  }

  /** Days until the token ends, by the server's clock; null without a token. */
  get daysLeft() {
    if (!this.device) return null;
    const now = Date.now() - (this.clockSkewSeconds ?? 0) * 1000;
    return (Date.parse(this.device.expiresAt) - now) / DAY;
  }

  /** Whether the server has refused the token: it was revoked, or has ended. */
  get isRefused() {
    return this.stored?.isRevoked ?? false;
  }

  /** @returns {"none" | "enrolled" | "expiring" | "expired" | "revoked"} */
  get state() {
    if (!this.stored || this.daysLeft === null) return "none";
    if (this.daysLeft <= 0) return "expired";
    if (this.isRefused) return "revoked";
    return this.daysLeft <= RENEWAL_DAYS ? "expiring" : "enrolled";
  }

  /**
   * Exchange a one-time code for a token, and load the bundle. Raise ApiProblem or Unreachable.
   * @param {string} code
   */
  async enrol(code) {
    const enrolmentId = this.enrolmentIds.get(code) ?? crypto.randomUUID();
    this.enrolmentIds.set(code, enrolmentId);
    const sent = { code, enrolment_id: enrolmentId };
    const { body, skew } = await this.api.call("v1/enrolments", { method: "POST", body: sent });
    const device = readIdentity(body, this.device);
    requireAnswer(typeof body.token === "string");
    await raiseSequence(this.database, device.clientId, body.next_device_sequence ?? 1);
    await this.#store({ device, token: await this.vault.seal(LABEL, body.token), isRevoked: false, skew });
    await this.whenEnrolled(body);
    await this.refresh();
  }

  /**
   * Work for another of the device's campaigns.
   * @param {string} campaignId
   */
  async chooseCampaign(campaignId) {
    if (!this.stored || !this.device) return;
    await this.#store({ ...this.stored, device: { ...this.device, campaignId } });
    await this.refresh();
  }

  /** Load the bundle if it has changed, measure the clock, and renew the token if it is due. */
  async refresh() {
    if (!this.device || this.isRefused) return;
    // A phone's token ends with its day. What one step is refused keeps the others from nothing.
    if (this.state === "expiring" && this.device.mode !== "self") await this.#attempt(() => this.#renew());
    await this.#attempt(() => this.#loadIdentity());
    const { device } = this;
    if (device) await this.#attempt(() => this.#loadBundle(device));
  }

  /** @param {() => Promise<void>} step */
  async #attempt(step) {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof ApiProblem || error instanceof Unreachable)) throw error;
    }
  }

  /**
   * Call the API as this device. Whatever the answer, it tells the clock, and whether the token is still good.
   * Raise ApiProblem or Unreachable.
   * @param {string} path
   * @param {import("./api.js").CallOptions} [options]
   */
  async call(path, options = {}) {
    const answer = await this.#callWithToken(path, options, this.token ?? "");
    await this.#learn({ skew: answer.skew, isRevoked: false });
    return answer;
  }

  /**
   * @param {string} path
   * @param {import("./api.js").CallOptions} options
   * @param {string} token
   */
  async #callWithToken(path, options, token) {
    try {
      return await this.api.call(path, { ...options, token });
    } catch (error) {
      if (error instanceof ApiProblem) {
        // Another tab may have renewed it meanwhile: only the answer to the newest token counts.
        const isRefused = isTokenRefused(error) && token === this.token;
        await this.#learn({ skew: error.skew, isRevoked: isRefused ? true : undefined });
      }
      throw error;
    }
  }

  /** @param {DeviceIdentity} device */
  async #loadBundle(device) {
    const kept = await readValue(this.database, bundleName(device));
    const headers = kept?.etag ? { "If-None-Match": kept.etag } : undefined;
    const path = `v1/campaigns/${encodeURIComponent(device.campaignId)}/bundle`;
    const { status, body, etag } = await this.call(path, { headers });
    if (status === 304) return;
    requireAnswer(body?.campaign?.campaign_id === device.campaignId);
    await writeValue(this.database, bundleName(device), { etag, bundle: body });
    this.bundle = body;
    this.#announce();
  }

  /** Load what the server says of this device: campaigns are added, and its token's end is the server's to say. */
  async #loadIdentity() {
    const { body } = await this.call("v1/device");
    const { stored } = this;
    if (!stored) return;
    const device = readIdentity(body, stored.device);
    if (JSON.stringify(device) !== JSON.stringify(stored.device)) await this.#store({ ...stored, device });
  }

  /** Get the next token. The present one stays good until its end: a lost answer costs nothing. */
  async #renew() {
    const { body } = await this.call("v1/device/token", { method: "POST", body: {} });
    requireAnswer(typeof body?.token === "string");
    const { stored } = this;
    if (!stored) return;
    const token = await this.vault.seal(LABEL, body.token);
    await this.#store({ ...stored, token, device: { ...stored.device, expiresAt: body.expires_at } });
  }

  /** @param {Partial<StoredSession>} found */
  async #learn({ skew = null, isRevoked }) {
    if (!this.stored) return;
    const { stored } = this;
    const isSkewNew = skew !== null && (stored.skew === null || Math.abs(skew - stored.skew) >= SKEW_STEP);
    const isStateNew = isRevoked !== undefined && isRevoked !== stored.isRevoked;
    if (!isSkewNew && !isStateNew) return;
    await this.#store({
      ...stored,
      skew: isSkewNew ? skew : stored.skew,
      isRevoked: isStateNew ? isRevoked : stored.isRevoked,
    });
  }

  /** @param {StoredSession} stored */
  async #store(stored) {
    const earlier = this.stored;
    await writeValue(this.database, SESSION, stored);
    this.stored = stored;
    if (stored.token !== earlier?.token) this.token = await this.vault.open(LABEL, stored.token);
    if (stored.device.campaignId !== earlier?.device.campaignId) await this.#readBundle();
    this.#announce();
  }

  #announce() {
    this.dispatchEvent(new Event("change"));
    this.tabs.tell("session");
  }
}

/**
 * Return whether a problem says that the token opens nothing any more.
 * @param {ApiProblem} error
 */
export function isTokenRefused({ code }) {
  return code === "token_revoked" || code === "token_missing_or_unknown";
}

/**
 * Raise Unreachable for an answer that is not the API's: the sign-in page of a market's Wi-Fi answers too.
 * @param {boolean} isOurs
 */
function requireAnswer(isOurs) {
  if (!isOurs) throw new Unreachable("not an answer of the API");
}

/**
 * Read an answer. Raise Unreachable.
 * @param {any} answer Of an enrolment, or of `GET /v1/device`.
 * @param {DeviceIdentity | null} earlier
 * @returns {DeviceIdentity}
 */
function readIdentity(answer, earlier) {
  requireAnswer(Array.isArray(answer?.campaigns));
  /** @type {string[]} */
  const campaignIds = answer.campaigns.map((/** @type {any} */ campaign) => campaign.campaign_id);
  const chosen = campaignIds.find((campaignId) => campaignId === earlier?.campaignId);
  return {
    clientId: answer.client_id,
    campaigns: answer.campaigns,
    campaignIds,
    campaignId: chosen ?? campaignIds[0] ?? "",
    roles: answer.roles,
    channel: answer.channel ?? null,
    mode: answer.mode,
    expiresAt: answer.expires_at,
  };
}

/** @param {DeviceIdentity} device */
function bundleName({ campaignId }) {
  return `bundle ${campaignId}`;
}
