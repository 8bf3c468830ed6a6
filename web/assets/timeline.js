// The messages of one conversation as they stand on the page: each once, by position, ours without one at the end.

/**
 * @typedef {object} Message
 * @property {string} key stable for as long as the page lives
 * @property {number} [seq] none while we are sending it
 * @property {string} [messageId]
 * @property {string} [msgid]
 * @property {boolean} mine
 * @property {{openid: string, userName?: string}} [from]
 * @property {"message"|"recalled"|"expired"|"event"} kind
 * @property {string} message its text
 * @property {number} fileType
 * @property {number} at epoch ms
 * @property {"sending"|"stored"|"delivered"|"read"|"refused"|"gone"} [state] of ours
 * @property {{device: string, at: number}[]} devices where it was delivered, in the order we learnt it
 * @property {{code: string, message: string}} [error]
 * @property {number} version raised with every change
 */

const ranks = ["sending", "stored", "delivered", "read"];

/** Of two states of one message the later one; what was refused may be sent again, what is gone stays gone. */
const later = (old, now) => (ranks.includes(old) && ranks.indexOf(now) < ranks.indexOf(old) && ranks.includes(now) ? old : now);

/** Timeline merges what comes by socket, by history and from our own queue into one list. */
export class Timeline {
  /** @type {Message[]} */
  messages = [];
  read = 0; // up to here the other side has read
  #keys = 0;

  /** Puts a record or an item of history. */
  put(item) {
    const { seq, messageId, kind, message, at, mine } = item;
    const known = this.#known(item);
    if (!known) return this.#add({ ...item, state: mine ? this.#stateAt(seq) : undefined });
    const recalled = known.kind === "recalled"; // what was taken back stays so, whatever comes late
    this.#change(known, { seq, messageId, at, ...(recalled ? {} : { kind, message }), state: mine ? this.#stateAt(seq) : undefined });
    this.#place(known);
    return known;
  }

  /** Puts one of our own, or what became of it. @param {import("./yanlink.js").Outgoing} entry */
  putOutgoing({ msgid, seq, messageId, message, fileType, at, state, error }) {
    const now = state === "stored" ? this.#stateAt(seq) : state;
    const known = this.#known({ msgid, seq, mine: true });
    if (!known) return this.#add({ msgid, seq, messageId, message, fileType, at, error, state: now, mine: true, kind: "message" });
    this.#change(known, { seq, messageId, at, error, state: now });
    this.#place(known);
    return known;
  }

  /** A proof of delivery. Returns the message, or null if it does not stand here. */
  delivered({ messageId, device, at }) {
    const message = this.#byId(messageId);
    if (!message?.mine) return null;
    if (device && !message.devices.some((one) => one.device === device)) message.devices = [...message.devices, { device, at }];
    this.#change(message, { state: "delivered" });
    return message;
  }

  /** The other side has read up to here. */
  readUpTo(seq) {
    if (seq <= this.read) return;
    this.read = seq;
    for (const message of this.messages) if (message.mine && message.seq <= seq && message.state !== "read") this.#change(message, { state: "read" });
  }

  /** A message was recalled: its place stays, its text goes. */
  recalled(messageId) {
    const message = this.#byId(messageId);
    if (message) this.#change(message, { kind: "recalled", message: "" });
    return message ?? null;
  }

  /** These will never be delivered. */
  gone(messageIds) {
    for (const id of messageIds) {
      const message = this.#byId(id);
      if (message?.state === "stored") this.#change(message, { state: "gone" });
    }
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

  #stateAt(seq) {
    return seq <= this.read ? "read" : "stored";
  }

  #known({ seq, msgid, mine }) {
    return this.messages.find((one) => (seq && one.seq === seq) || (mine && one.mine && msgid && one.msgid === msgid)) ?? null;
  }

  #byId(messageId) {
    return this.messages.find((one) => one.messageId === messageId);
  }

  #add(fields) {
    const message = { devices: [], ...fields, key: `m${++this.#keys}`, version: 0 };
    this.messages.push(message);
    this.#place(message);
    return message;
  }

  #change(message, fields) {
    const state = fields.state && later(message.state, fields.state);
    for (const [name, value] of Object.entries({ ...fields, state })) if (value !== undefined || name === "error") message[name] = value;
    message.version++;
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
