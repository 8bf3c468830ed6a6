// What we have sent and do not know to have arrived. Knows no socket and no page.

/** More was given to send than the outbox holds: the page should say so and let the person wait. */
export class OutboxFull extends Error {
  constructor(limit) {
    super(`${limit} messages wait to be sent already`);
    this.name = "OutboxFull";
  }
}

/**
 * @typedef {object} Entry
 * One message of ours, from `send` to the proof that it arrived. Read it, never write it.
 * @property {string} msgid our own key: a repeat under the same key takes effect once
 * @property {string} to openid of the recipient
 * @property {string} text
 * @property {number} fileType
 * @property {number} at epoch ms: when it was given to send, then when the server took it
 * @property {"sending"|"stored"|"delivered"|"refused"|"gone"} state
 * @property {string} [messageId] from stored on
 * @property {string} [conversationId]
 * @property {number} [seq]
 * @property {boolean} [duplicate] the server had it already
 * @property {string} [device] where it was delivered first
 * @property {number} [deliveredAt] epoch ms
 * @property {{code: string, message: string}} [error] why it was refused, or what delays it
 */

/**
 * Outbox keeps entries until they are delivered. To one recipient it has one message under way at a time: so they
 * arrive in the order they were typed even if the server asks to try one again later.
 */
export class Outbox {
  #entries = new Map();
  #underWay = new Map(); // recipient -> {msgid, until}: whose turn it is, and when to write it again
  #limit;

  constructor({ entries = [], limit = 200 } = {}) {
    this.#limit = limit;
    for (const entry of entries) this.#entries.set(entry.msgid, { ...entry });
  }

  /** Adds a message; the same msgid again returns the entry that is there. Throws OutboxFull. */
  add({ msgid, to, text, fileType = 0, at }) {
    const known = this.#entries.get(msgid);
    if (known) return known;
    if (this.unsent().length >= this.#limit) throw new OutboxFull(this.#limit);
    const entry = { msgid, to, text, fileType, at, state: "sending" };
    this.#entries.set(msgid, entry);
    return entry;
  }

  /** Entries to be written now; each counts as under way for `patience` ms. */
  take(now, patience = 10_000) {
    const due = [];
    for (const entry of this.unsent()) {
      const ahead = this.#underWay.get(entry.to);
      if (ahead && (ahead.msgid !== entry.msgid || now < ahead.until)) continue;
      this.#underWay.set(entry.to, { msgid: entry.msgid, until: now + patience });
      due.push(entry);
    }
    return due;
  }

  /** When `take` has something again without an answer in between; undefined if never. */
  due() {
    const times = [...this.#underWay.values()].map((ahead) => ahead.until);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /** The connection is gone: whatever had no answer is to be written again, under the same msgid. */
  lost() {
    this.#underWay.clear();
  }

  /** Frame 0. Returns the entry, or null for one that we do not know (any more). */
  accepted(msgid, { messageId, conversationId, seq, duplicate, at }) {
    const entry = this.#entries.get(msgid);
    if (!entry || entry.state !== "sending") return null;
    this.#landed(entry);
    delete entry.error;
    Object.assign(entry, { state: "stored", messageId, conversationId, seq, duplicate: Boolean(duplicate), at: at ?? entry.at });
    this.#bound();
    return entry;
  }

  /** Frame 500. After a temporary one the entry keeps its turn and is due again at retryAt (ms, as of `take`). */
  refused(msgid, { code, message, temporary }, retryAt) {
    const entry = this.#entries.get(msgid);
    if (!entry || entry.state !== "sending") return null;
    entry.error = { code, message };
    if (temporary) {
      this.#underWay.set(entry.to, { msgid, until: retryAt });
    } else {
      entry.state = "refused";
      this.#landed(entry);
      this.#entries.delete(msgid);
    }
    return entry;
  }

  /** Frame 17. Returns the entry if this is the first proof of a message of ours, else null. */
  delivered({ msgid, messageId, device, at }) {
    const entry = this.#find(msgid, messageId);
    if (!entry) return null;
    this.#landed(entry);
    delete entry.error;
    Object.assign(entry, { state: "delivered", device, deliveredAt: at, messageId: messageId ?? entry.messageId });
    this.#entries.delete(entry.msgid);
    return entry;
  }

  /** Frame 29: these will never have a proof (recalled, expired, purged). Returns their entries. */
  gone(messageIds) {
    const ended = messageIds.map((id) => this.#find(undefined, id)).filter(Boolean);
    for (const entry of ended) {
      entry.state = "gone";
      this.#entries.delete(entry.msgid);
    }
    return ended;
  }

  /** Positions are void (the ledger's epoch changed): what was stored cannot be asked for any more. */
  forgetStored() {
    for (const entry of [...this.#entries.values()]) if (entry.state === "stored") this.#entries.delete(entry.msgid);
  }

  /** Asks for proof of a message that an earlier page sent. */
  watch({ msgid, messageId, conversationId, seq, to, at }) {
    if (this.#find(undefined, messageId)) return;
    const entry = { msgid: msgid || messageId, to, text: "", fileType: 0, at, state: "stored", messageId, conversationId, seq };
    this.#entries.set(entry.msgid, entry);
    this.#bound();
  }

  /** In the order they were given. */
  unsent() {
    return [...this.#entries.values()].filter((entry) => entry.state === "sending");
  }

  /** messageIds without a proof, for the `pending` of a sync; the newest `limit`. */
  pending(limit = 200) {
    return this.#stored().slice(-limit).map((entry) => entry.messageId);
  }

  /** What has to outlive the page. The text of what is stored need not. */
  toJSON() {
    return [...this.#entries.values()].map((entry) => (entry.state === "stored" ? { ...entry, text: "" } : entry));
  }

  #stored() {
    return [...this.#entries.values()].filter((entry) => entry.state === "stored");
  }

  #find(msgid, messageId) {
    for (const entry of this.#entries.values()) if (messageId && entry.messageId === messageId) return entry;
    const own = msgid ? this.#entries.get(msgid) : undefined;
    // A msgid is unique for one conversation only: an id that differs means another message.
    return own && !(own.messageId && messageId) ? own : null;
  }

  #landed(entry) {
    if (this.#underWay.get(entry.to)?.msgid === entry.msgid) this.#underWay.delete(entry.to);
  }

  #bound() {
    const stored = this.#stored();
    for (const entry of stored.slice(0, Math.max(0, stored.length - this.#limit))) this.#entries.delete(entry.msgid);
  }
}
