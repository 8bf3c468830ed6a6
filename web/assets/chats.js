// The conversations of the one who is signed in: what the list shows, and what each holds.
import { Timeline } from "./timeline.js";

const historyPage = 50;
const listPages = 10;
const typingFor = 6_000; // after the last signal

/**
 * @typedef {object} Chat
 * @property {string} key
 * @property {string} [id] conversationId; none before the first message
 * @property {"direct"|"group"|"system"} kind
 * @property {{openid: string, name: string}} peer
 * @property {Timeline} timeline
 * @property {number} unread
 * @property {number} read up to where this person has read
 * @property {number} told up to where the server knows that
 * @property {{text: string, at: number, mine: boolean}|null} last
 * @property {"no"|"busy"|"yes"} loaded whether its history has been read
 * @property {boolean} more whether there is older history
 * @property {number} typingUntil epoch ms
 * @property {{status: string, devices?: string[], nodes?: string[], lastSeen?: string}} [presence]
 */

/** Chats finds the conversation of whatever comes in, and reads lists and histories. */
export class Chats {
  #link;
  #me;
  #marks;
  /** @type {Chat[]} */
  #chats = [];

  /**
   * @param {import("./yanlink.js").Link} link
   * @param {string} me
   * @param {import("./read-marks.js").ReadMarks} marks
   */
  constructor(link, me, marks) {
    this.#link = link;
    this.#me = me;
    this.#marks = marks;
  }

  /** The newest first. */
  get all() {
    return this.#chats.toSorted((a, b) => (b.last?.at ?? b.opened ?? 0) - (a.last?.at ?? a.opened ?? 0));
  }

  get unread() {
    return this.#chats.reduce((sum, chat) => sum + chat.unread, 0);
  }

  /** Reads the list. Rejects with YanlinkError. */
  async refresh() {
    let cursor;
    for (let n = 0; n < listPages; n++) {
      const { items, next } = await this.#link.rest("GET", "conversations", { query: { cursor } });
      for (const item of items ?? []) this.#listed(item);
      if (!next) return;
      cursor = next;
    }
  }

  /** The direct conversation with somebody, made on this page if it is not there yet. */
  withPerson(openid, name = "") {
    const known = this.#chats.find((chat) => chat.kind === "direct" && chat.peer.openid === openid);
    if (known) {
      if (name) known.peer.name = name;
      return known;
    }
    return this.#add({ kind: "direct", peer: { openid, name } });
  }

  /** The conversation of a record; null for one that we have not heard of and that does not say enough. */
  of(record) {
    const known = this.#byId(record.conversationId);
    if (known) return known;
    if (record.kind !== "message") return null;
    if (record.groupId) return this.#add({ id: record.conversationId, kind: "group", peer: { openid: record.groupId, name: "" } });
    const peer = record.mine ? record.to : record.from;
    return peer ? this.bind(this.withPerson(peer.openid, peer.userName), record.conversationId) : null;
  }

  /** The conversation has its number now. */
  bind(chat, id) {
    if (!chat.id && id) {
      chat.id = id;
      chat.read = Math.max(chat.read, this.#marks.get(id));
    }
    return chat;
  }

  /** A live record: into its conversation, and counted if nobody is looking. */
  arrived(record, looking) {
    const chat = this.of(record);
    if (!chat) return null;
    if (record.kind === "recalled") chat.timeline.recalled(record.recalled);
    else if (record.kind === "message") this.#message(chat, record);
    if (looking(chat)) this.looked(chat, record.seq);
    else if (record.kind === "message" && !record.mine && record.seq > chat.read) chat.unread++;
    return chat;
  }

  /** A message of ours, or what became of it. */
  outgoing(entry) {
    const chat = this.bind(this.withPerson(entry.to), entry.conversationId);
    chat.timeline.putOutgoing(entry);
    if (entry.state !== "refused") this.#last(chat, { ...entry, mine: true, kind: "message" });
    return chat;
  }

  /** One of ours was taken back, in some tab of this device. */
  tookBack(messageId) {
    for (const chat of this.#chats) if (chat.timeline.recalled(messageId)) return;
  }

  /** A proof of delivery. */
  delivered(proof) {
    for (const chat of this.#chats) if (chat.timeline.delivered(proof)) return;
  }

  /** These will never be delivered. */
  gone({ messageIds }) {
    for (const chat of this.#chats) chat.timeline.gone(messageIds);
  }

  /** Somebody has read; we ourselves too, elsewhere. */
  readBy({ conversationId, seq, user }) {
    const chat = this.#byId(conversationId);
    if (!chat) return;
    if (user !== this.#me) return chat.timeline.readUpTo(seq);
    chat.read = Math.max(chat.read, seq);
    chat.told = Math.max(chat.told, seq);
    if (chat.read >= (chat.lastSeq ?? 0) && chat.read >= chat.timeline.newest) chat.unread = 0;
  }

  /** Somebody is typing to us. */
  typing({ from, groupId, signal }) {
    if (groupId || signal !== "typing") return null;
    const chat = this.withPerson(from.openid, from.userName);
    chat.typingUntil = Date.now() + typingFor;
    return chat;
  }

  /** Somebody has the conversation before their eyes, up to seq. */
  looked(chat, seq = chat.timeline.newest) {
    chat.unread = 0;
    if (!chat.id) return;
    if (seq > chat.read) {
      chat.read = seq;
      this.#marks.set(chat.id, seq);
    }
    const { read, told } = chat;
    if (read <= told) return;
    chat.told = read;
    this.#link.read(chat.id, read).catch(() => {
      if (chat.told === read) chat.told = told; // the next look says it again
    });
  }

  /** Reads the newest page of history, or the one before what stands here. Rejects with YanlinkError. */
  async history(chat, { older = false } = {}) {
    if (!chat.id) await this.#lookUp(chat);
    if (!chat.id) return [];
    const before = older ? chat.timeline.oldest : Number.MAX_SAFE_INTEGER;
    const { items, next } = await this.#link.history(chat.id, { before, limit: historyPage });
    chat.more = Boolean(next);
    return items.filter((item) => item.messageId && item.kind !== "event").map((item) => chat.timeline.put(item));
  }

  /** What stands here may have holes: forget it, not who there is. `epoch`: positions mean nothing any more. */
  reset({ epoch }) {
    if (epoch) this.#marks.clear();
    for (const chat of this.#chats) {
      const timeline = new Timeline();
      if (!epoch) timeline.readUpTo(chat.timeline.read);
      Object.assign(chat, { timeline, loaded: "no", more: false }, epoch && { read: 0, told: 0, unread: 0, last: null });
    }
  }

  #listed({ conversationId, kind, peer, group, lastMessage, lastSeq = 0, readSeq = 0, peerReadSeq = 0, unread = 0 }) {
    const chat = this.#byId(conversationId) ?? this.#named(conversationId, kind, peer, group);
    if (peer?.userName) chat.peer.name = peer.userName;
    chat.lastSeq = lastSeq;
    chat.timeline.readUpTo(peerReadSeq);
    chat.read = Math.max(chat.read, this.#marks.get(conversationId));
    chat.unread = chat.read > readSeq ? Math.min(unread, Math.max(0, lastSeq - chat.read)) : unread;
    chat.read = Math.max(chat.read, readSeq);
    chat.told = Math.max(chat.told, readSeq);
    if (lastMessage) this.#last(chat, { ...lastMessage, at: new Date(lastMessage.at).getTime(), mine: lastMessage.from?.openid === this.#me });
  }

  #named(id, kind, peer, group) {
    if (kind === "direct" && peer) return this.bind(this.withPerson(peer.openid, peer.userName), id);
    const name = kind === "group" ? { openid: group?.groupId ?? id, name: group?.name ?? "" } : { openid: "system", name: "Announcements" };
    return this.#add({ id, kind, peer: name });
  }

  async #lookUp(chat) {
    const found = this.#link.rest("GET", "conversations", { query: { with: chat.peer.openid } });
    const { items } = await found.catch((error) => (error.status === 404 ? {} : Promise.reject(error)));
    for (const item of items ?? []) this.#listed(item);
  }

  #message(chat, record) {
    if (!record.mine) chat.typingUntil = 0;
    if (!record.mine && chat.kind === "direct" && record.from.userName) chat.peer.name = record.from.userName;
    this.#last(chat, record);
    chat.timeline.put(record);
  }

  #last(chat, { message, at, mine, kind }) {
    if (chat.last && at < chat.last.at) return;
    chat.last = { text: kind === "message" ? message : "", at, mine };
  }

  #byId(id) {
    return id ? this.#chats.find((chat) => chat.id === id) : undefined; // before its first message one has no id
  }

  #add(fields) {
    const chat = { key: `c${this.#chats.length + 1}`, timeline: new Timeline(), unread: 0, read: 0, told: 0, last: null, loaded: "no", more: false, typingUntil: 0, ...fields };
    chat.read = this.#marks.get(chat.id);
    this.#chats.push(chat);
    return chat;
  }
}
