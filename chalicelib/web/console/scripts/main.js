// The start of the console.

import { findApiRoot } from "../sync/api.js";
import { Console } from "./console.js";
import { Requests } from "./requests.js";
import { Session } from "./session.js";

const release = new URL(import.meta.url).pathname.split("/").at(-3) ?? "";
const root = document.getElementById("console");
if (root !== null) {
  const session = new Session(sessionStorage);
  const requests = new Requests(findApiRoot(location.href), release, session);
  new Console(root, session, requests, release).start();
}
