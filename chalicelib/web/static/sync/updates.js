// New releases of the app: loaded in the background, and put to use when the officer says so.

/** Watches for a new release. Events: `change`. */
export class Updates extends EventTarget {
  constructor() {
    super();
    this.available = false;
    this.isApplied = false;
    /** @type {ServiceWorkerRegistration | null} */
    this.registration = null;
  }

  /**
   * Register the service worker, with which the app opens without a network.
   * @param {string} root The URL of the API's stage.
   */
  async register(root) {
    if (!("serviceWorker" in navigator)) return;
    const registration = await navigator.serviceWorker.register(new URL("app/service-worker.js", root), {
      scope: new URL("app", root).pathname,
      updateViaCache: "none",
    });
    this.registration = registration;
    if (registration.waiting) this.#show();
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing?.addEventListener("statechange", () => {
        // The first worker ever is no update.
        if (installing.state === "installed" && navigator.serviceWorker.controller) this.#show();
      });
    });
  }

  /** Ask the server for a new release. Raises nothing when offline. */
  async check() {
    await this.registration?.update().catch(() => undefined);
  }

  /** Go on with the new release, if there is one. What is stored stays: save the draft first. */
  apply() {
    const { waiting } = this.registration ?? {};
    if (!waiting || this.isApplied) return;
    this.isApplied = true;
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting.postMessage("activate");
  }

  #show() {
    this.available = true;
    this.dispatchEvent(new Event("change"));
  }
}
