// What of a client outlives its page: epoch, marks and outbox, as one JSON text in a Storage.

/** Memory reads and writes one client's state. A Storage that is full or forbidden costs the memory, not the client. */
export class Memory {
  #storage;
  #key;
  #onError;

  /** @param {Storage|null} storage null: remember nothing */
  constructor(storage, key, onError) {
    this.#storage = storage;
    this.#key = key;
    this.#onError = onError;
  }

  /** @returns {{epoch?: string, marks?: object, outbox?: object[]}} */
  load() {
    try {
      return JSON.parse(this.#storage?.getItem(this.#key) ?? "{}") ?? {};
    } catch {
      return {};
    }
  }

  save(state) {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(state));
    } catch (error) {
      this.#onError(error);
    }
  }

  forget() {
    this.#storage?.removeItem(this.#key);
  }
}
