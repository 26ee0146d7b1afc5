// What the tabs of the app tell each other.

/** Tells the other tabs of this device that something changed. Events: the kinds. */
export class Tabs extends EventTarget {
  constructor() {
    super();
    this.channel = new BroadcastChannel("daftar");
    this.channel.onmessage = ({ data }) => this.dispatchEvent(new Event(data));
  }

  /** @param {"captures" | "due" | "session" | "shift"} kind */
  tell(kind) {
    this.channel.postMessage(kind);
  }
}
