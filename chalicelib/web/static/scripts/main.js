/** The start of the web app: registers the service worker, so that the app opens without a network. */

if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register("app/service-worker.js", { scope: "app" });
}
