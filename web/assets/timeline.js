// The messages of one conversation as they stand on the page: each once, by position, ours without one at the end.

/**
 * @typedef {object} Message
 * @property {string} key stable for as long as the page lives
 * @property {number} [seq] none while we are sending it
 * @property {string} [messageId]
 * @property {string} [msgid]
 * @property {boolean} mine
 * @property {{openid: string, name: string}|null} from
 * @property {"message"|"recalled"|"expired"|"event"} kind
 * @property {string} text
 * @property {number} fileType
 * @property {number} at epoch ms
 * @property {"sending"|"stored"|"delivered"|"refused"|"gone"} [state] of ours
 * @property {{device: string, at: number}[]} devices where it was delivered, in the order we learnt it
 * @property {{code: string, message: string}} [error]
 * @property {number} version raised with every change
 */

/** Timeline merges what comes by socket, by history and from our own outbox into one list. */
export class Timeline {
  /** @type {Message[]} */
  messages = [];
  #keys = 0;

  /** Puts a record or an item of history. */
  put(item) {
    const known = this.#known(item);
    if (known) {
      const { seq, messageId, kind, text, at } = item;
      this.#change(known, { seq, messageId, kind, text, at, state: known.mine && known.state === "sending" ? "stored" : known.state });
      this.#place(known);
      return known;
    }
    return this.#add({ ...item, state: item.mine ? "stored" : undefined });
  }

  /** Puts one of our own, or what became of it. */
  putEntry(entry) {
    const { msgid, seq, messageId, text, fileType, at, state, error } = entry;
    const known = this.#known({ msgid, seq, messageId, mine: true });
    // An entry that was only watched, or that an earlier page sent, has no text of its own.
    if (!known) return text ? this.#add({ msgid, seq, messageId, text, fileType, at, state, error, mine: true, kind: "message", from: null }) : null;
    this.#change(known, { seq: seq ?? known.seq, messageId, at, error, state: known.state === "delivered" ? "delivered" : state });
    if (state === "delivered") this.#proof(known, entry.device, entry.deliveredAt);
    this.#place(known);
    return known;
  }

  /** A proof of delivery. Returns the message, or null if it does not stand here. */
  delivered({ messageId, device, at }) {
    const message = this.messages.find((one) => one.messageId === messageId);
    if (!message?.mine) return null;
    this.#change(message, { state: "delivered" });
    this.#proof(message, device, at);
    return message;
  }

  /** A message was recalled: its place stays, its text goes. */
  recalled(messageId) {
    const message = this.messages.find((one) => one.messageId === messageId);
    if (message) this.#change(message, { kind: "recalled", text: "" });
    return message ?? null;
  }

  remove(message) {
    this.messages = this.messages.filter((one) => one !== message);
  }

  /** Keeps the newest; true if older ones were dropped. */
  trim(keep) {
    if (this.messages.length <= keep) return false;
    this.messages = this.messages.slice(-keep);
    return true;
  }

  /** The first and the last position that stand here; 0 if none does. */
  get oldest() {
    return this.messages.find((message) => message.seq)?.seq ?? 0;
  }

  get newest() {
    return this.messages.findLast((message) => message.seq)?.seq ?? 0;
  }

  #known({ seq, msgid, mine }) {
    return this.messages.find((one) => (seq && one.seq === seq) || (mine && one.mine && msgid && one.msgid === msgid)) ?? null;
  }

  #add(fields) {
    const message = { devices: [], ...fields, key: `m${++this.#keys}`, version: 0 };
    this.messages.push(message);
    this.#place(message);
    return message;
  }

  #change(message, fields) {
    for (const [name, value] of Object.entries(fields)) if (value !== undefined || name === "error") message[name] = value;
    message.version++;
  }

  #proof(message, device, at) {
    if (device && !message.devices.some((one) => one.device === device)) message.devices = [...message.devices, { device, at }];
  }

  /** Moves a message to where its position says. Most belong at the end, so the search begins there. */
  #place(message) {
    const rest = this.messages.filter((one) => one !== message);
    let index = rest.length;
    if (message.seq) while (index > 0 && !(rest[index - 1].seq < message.seq)) index--;
    rest.splice(index, 0, message);
    this.messages = rest;
  }
}
