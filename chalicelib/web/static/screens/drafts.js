// Keeps a half-filled form as a draft: shortly after each change, one write after the other.

const PAUSE = 400;

/** The draft of one form. */
export class DraftKeeper {
  /**
   * @param {() => Promise<void>} save Store the form as it is now.
   * @param {(error: unknown) => void} onFailure Called when it was not stored; it is tried again with the next change.
   */
  constructor(save, onFailure) {
    this.save = save;
    this.onFailure = onFailure;
    this.isDirty = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** The write that is under way, or the last one. @type {Promise<void>} */
    this.writing = Promise.resolve();
  }

  /** Store the form soon: something was entered. */
  change() {
    this.isDirty = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), PAUSE);
  }

  /** Store now what is not stored yet. Resolves when nothing is being written any more. */
  flush() {
    clearTimeout(this.timer);
    if (this.isDirty) {
      this.isDirty = false;
      this.writing = this.writing.then(this.save).catch((error) => {
        this.isDirty = true;
        this.onFailure(error);
      });
    }
    return this.writing;
  }

  /** Store nothing more. Resolves when nothing is being written any more. */
  stop() {
    clearTimeout(this.timer);
    this.isDirty = false;
    return this.writing;
  }
}
