// Puts together the storage and the network of this device.

import { Kiosk } from "../store/kiosk.js";
import { Outbox } from "../store/outbox.js";
import { Shift } from "../store/shift.js";
import { Tabs } from "../store/tabs.js";
import { Vault } from "../store/vault.js";
import { openDatabase } from "../store/database.js";
import { checkSpace } from "../store/space.js";
import { Api, findApiRoot } from "../sync/api.js";
import { Sender } from "../sync/sender.js";
import { Session } from "../sync/session.js";
import { Updates } from "../sync/updates.js";
import { dropRescued, exportRescueFile } from "../sync/rescue.js";

/**
 * Return the device of this browser: what was stored before is there, and nothing is sent until
 * `sender.start()`. Raise StorageFailed where the browser stores nothing.
 * @returns {Promise<import("./types.js").Device>}
 */
export async function openDevice() {
  const release = findRelease(import.meta.url);
  const root = findApiRoot(location.href);
  const tabs = new Tabs();
  const database = await openDatabase();
  const vault = await Vault.open(database);
  const api = new Api(root, release);
  const session = new Session(database, vault, api, tabs);
  /** @type {Outbox} */
  const outbox = new Outbox(database, vault, () => findOrigin(session, shift), tabs);
  /** @type {Shift} */
  const shift = new Shift(database, outbox, tabs);
  const kiosk = new Kiosk(database, shift);
  const sender = new Sender(outbox, session);
  const update = new Updates();
  session.whenEnrolled = async (answer) => {
    if (answer.exit_code) await kiosk.startWith(answer.exit_code);
  };
  await session.load();
  await shift.load();
  await kiosk.load();
  await outbox.forgetOld().catch(() => undefined); // A full disk keeps nobody from sending what is on it.
  await update.register(root).catch(() => undefined);
  return {
    outbox,
    session,
    sender,
    shift,
    kiosk,
    update,
    release,
    checkSpace: () => checkSpace(outbox.isFull),
    exportRescueFile: () => exportRescueFile(outbox, session, release),
    dropRescued: (file) => dropRescued(outbox, session, file),
    request: async (method, path, body) => (await session.call(path, { method, body })).body,
    requestPublic: async (method, path, body) => (await api.call(path, { method, body })).body,
    get language() {
      return api.language;
    },
    set language(language) {
      api.language = language;
    },
  };
}

/**
 * Return where and by whom captures are made now, or null while nobody may make any.
 * @param {Session} session
 * @param {Shift} shift
 */
function findOrigin({ device }, { current, isUnattended }) {
  if (!device || device.campaignId === "") return null;
  const { clientId, campaignId } = device;
  if (device.mode === "self") return { clientId, campaignId, officer: null, isUnattended: true, isSelf: true };
  if (isUnattended) return { clientId, campaignId, officer: null, isUnattended: true };
  if (!current || current.locked) return null;
  return { clientId, campaignId, officer: current.officer, isUnattended };
}

/**
 * Return the release from the address of this module: `.../app/<release>/scripts/device.js`.
 * @param {string} address
 */
function findRelease(address) {
  return new URL(address).pathname.split("/").at(-3) ?? "";
}
