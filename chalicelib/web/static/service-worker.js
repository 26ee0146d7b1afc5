/** Keeps the files of one release of the web app, and answers from them without a network. */

const CACHE = "daftar-__RELEASE__";
// Relative to this script. The page comes last: it is the one that refers to the others.
const FILES = ["manifest.webmanifest", ..."__FILES__".split(" "), "../app"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)))),
  );
});

self.addEventListener("fetch", (event) => {
  event.respondWith(caches.match(event.request, { cacheName: CACHE }).then((found) => found ?? fetch(event.request)));
});
