// Keeps the files of one release of the app, and answers from them, so that the app opens without a network.
// It never touches a request to the API, and keeps no answer of it.

const CACHE = "daftar-__RELEASE__";
const PAGE = "../app";
// Relative to this script.
const FILES = ["manifest.webmanifest", ..."__FILES__".split(" "), PAGE];

const addresses = new Map(FILES.map((file) => [new URL(file, self.location.href).href, file]));

self.addEventListener("install", (event) => {
  event.waitUntil(load());
});

async function load() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
  const page = await cache.match(new URL(PAGE, self.location.href).href);
  // While a release is put up, the page may already be the next one's, whose files are not here.
  if (!(await page.text()).includes("__RELEASE__")) throw new Error("the page is of another release");
}

// An open page keeps the release with which it began. It asks for the new one, or is closed.
self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith("daftar-") && name !== CACHE))
      .then((names) => Promise.all(names.map((name) => caches.delete(name)))),
  );
});

self.addEventListener("fetch", (event) => {
  const address = event.request.url.replace(/[?#].*$/, "");
  if (event.request.method !== "GET" || !addresses.has(address)) return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(address))
      .then((found) => found ?? fetch(event.request)),
  );
});
