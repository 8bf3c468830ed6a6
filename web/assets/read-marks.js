// How far each conversation has been read on this browser: for what the server was not told, or does not keep.

const most = 500; // conversations

/** ReadMarks keeps the conversations that were read last. */
export class ReadMarks {
  #key;
  #storage;
  #marks;

  constructor(key, storage = localStorage) {
    this.#key = key;
    this.#storage = storage;
    try {
      this.#marks = new Map(Object.entries(JSON.parse(storage.getItem(key) ?? "{}")));
    } catch {
      this.#marks = new Map(); // at worst something counts as unread again
    }
  }

  get(id) {
    return this.#marks.get(id) ?? 0;
  }

  set(id, seq) {
    this.#marks.delete(id);
    this.#marks.set(id, seq);
    try {
      this.#storage.setItem(this.#key, JSON.stringify(Object.fromEntries([...this.#marks].slice(-most))));
    } catch {
      // It is full: after a reload something counts as unread again.
    }
  }

  clear() {
    this.#marks.clear();
    this.#storage.removeItem(this.#key);
  }
}
