// The HTTP client of the app: the one place that calls the network.

import { ApiProblem, Unreachable } from "../scripts/errors.js";
import { measureSkew } from "./clock.js";

const TIMEOUT = 90_000;

/**
 * @typedef {Object} CallOptions
 * @property {string} [method]
 * @property {unknown} [body] Sent as JSON, compressed where `isLarge`.
 * @property {boolean} [isLarge]
 * @property {string} [token]
 * @property {Record<string, string>} [headers]
 */

/**
 * An answer of the API, with the device's clock against the server's.
 * @typedef {{status: number, body: any, etag: string | null, skew: number | null}} ApiAnswer
 */

/** Calls the API that serves this app. */
export class Api {
  /**
   * @param {string} root The URL of the API's stage, with a slash at its end.
   * @param {string} release Sent along, so that the server knows which release sent a capture.
   */
  constructor(root, release) {
    this.root = root;
    this.release = release;
    this.language = "id";
  }

  /**
   * Return the answer. Raise ApiProblem for a problem, and Unreachable for everything that is not an answer of
   * the API, such as the sign-in page of a market's Wi-Fi.
   * @param {string} path Without a slash at its begin.
   * @param {CallOptions} [options]
   * @returns {Promise<ApiAnswer>}
   */
  async call(path, { method = "GET", body, isLarge = false, token, headers = {} } = {}) {
    const sentAt = Date.now();
    /** @type {Record<string, string>} */
    const sent = { "Accept-Language": this.language, "App-Version": this.release, ...headers };
    if (token !== undefined) sent.Authorization = `Bearer ${token}`;
    /** @type {BodyInit | undefined} */
    let content;
    if (body !== undefined) {
      sent["Content-Type"] = "application/json";
      content = JSON.stringify(body);
      if (isLarge && "CompressionStream" in globalThis) {
        sent["Content-Encoding"] = "gzip";
        content = await compress(content);
      }
    }
    const { response, text } = await this.#exchange(path, { method, headers: sent, body: content });
    const skew = measureSkew(response.headers.get("date"), sentAt, Date.now());
    const type = response.headers.get("content-type") ?? "";
    if (response.status === 304 || response.status === 204) {
      return { status: response.status, body: null, etag: response.headers.get("etag"), skew };
    }
    const parsed = parse(text, type);
    if (response.ok && parsed !== null) {
      return { status: response.status, body: parsed, etag: response.headers.get("etag"), skew };
    }
    if (!response.ok && typeof parsed?.code === "string") {
      const problem = new ApiProblem(response.status, parsed, readRetryAfter(response));
      problem.skew = skew;
      throw problem;
    }
    throw new Unreachable(`status ${response.status}`);
  }

  /**
   * @param {string} path
   * @param {RequestInit} request
   */
  async #exchange(path, request) {
    try {
      const response = await fetch(new URL(path, this.root), {
        ...request,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      return { response, text: await response.text() };
    } catch (error) {
      throw new Unreachable(error instanceof Error ? error.name : "unknown");
    }
  }
}

/**
 * Return the root of the API whose app, or console, is at this address: what stands before `/app`.
 * @param {string} address
 */
export function findApiRoot(address) {
  const { origin, pathname } = new URL(address);
  return origin + pathname.replace(/\/(app|console)(\/.*)?$/, "/");
}

/**
 * @param {string} text
 * @returns {Promise<Blob>}
 */
export function compress(text) {
  const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(compressed).blob();
}

/**
 * @param {string} text
 * @param {string} type
 */
function parse(text, type) {
  if (!/^application\/(problem\+)?json\b/.test(type)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {Response} response */
function readRetryAfter(response) {
  const seconds = Number(response.headers.get("retry-after"));
  return seconds > 0 ? seconds : null;
}
