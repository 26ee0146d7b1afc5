// The console's requests, all with the token in a header and none with it in an address.

import { Api } from "../sync/api.js";
import { ApiProblem, Unreachable } from "./errors.js";
import { getLanguage } from "../texts/language.js";

const TIMEOUT_MS = 60_000;

/** @typedef {import("./session.js").Session} Session */

export class Requests {
  /**
   * @param {string} root The URL of the API's stage, with a slash at its end.
   * @param {string} release
   * @param {Session} session
   */
  constructor(root, release, session) {
    this.root = root;
    this.session = session;
    this.api = new Api(root, `console-${release}`);
  }

  /**
   * Return the body of an answer. Raise ApiProblem or Unreachable. A token that is refused ends the session.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async send(method, path, body) {
    this.api.language = getLanguage();
    return this.#watch(async (token) => (await this.api.call(path, { method, body, token })).body);
  }

  /** @param {string} path */
  get(path) {
    return this.send("GET", path);
  }

  /**
   * Return all rows of a listing that has pages.
   * @param {string} path
   * @param {string} name The field with the rows.
   * @returns {Promise<any[]>}
   */
  async list(path, name) {
    const rows = [];
    let cursor = null;
    do {
      const query = cursor === null ? "" : `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
      const page = await this.get(path + query);
      rows.push(...page[name]);
      cursor = page.cursor ?? null;
    } while (cursor !== null);
    return rows;
  }

  /**
   * Return a page as text, or a file with its name.
   * @param {string} path
   * @param {string} mediaType
   * @returns {Promise<{blob: Blob, filename: string}>}
   */
  async load(path, mediaType) {
    return this.#watch(async (token) => {
      const response = await this.#fetch(path, { Accept: mediaType, "Accept-Language": getLanguage(), Authorization: `Bearer ${token}` });
      const type = response.headers.get("content-type") ?? "";
      if (response.ok && type.startsWith(mediaType)) {
        return { blob: await response.blob(), filename: readFilename(response) };
      }
      const problem = type.startsWith("application/problem+json") ? await response.json() : null;
      if (problem === null) throw new Unreachable(`status ${response.status}`);
      throw new ApiProblem(response.status, problem);
    });
  }

  /**
   * @param {string} path
   * @param {Record<string, string>} headers
   */
  async #fetch(path, headers) {
    try {
      return await fetch(new URL(path, this.root), {
        headers,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new Unreachable(error instanceof Error ? error.name : "unknown");
    }
  }

  /**
   * @template Answer
   * @param {(token: string) => Promise<Answer>} call
   */
  async #watch(call) {
    const token = this.session.token;
    if (token === null) throw new SignedOut();
    try {
      return await call(token);
    } catch (error) {
      // Another 401 is that of a proxy. The token may have been replaced while the answer was on its way.
      if (error instanceof ApiProblem && error.status === 401 && this.session.token === token) {
        this.session.end("refused");
        throw new SignedOut();
      }
      throw error;
    }
  }
}

/** Nobody is signed in any more: the page that asked is not shown. */
export class SignedOut extends Error {
  name = "SignedOut";
}

/** @param {Response} response */
function readFilename(response) {
  const found = /filename="([\w.-]+)"/.exec(response.headers.get("content-disposition") ?? "");
  return found?.[1] ?? "daftar";
}
