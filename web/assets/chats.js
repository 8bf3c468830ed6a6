// The conversations of the one who is logged in: what the list shows, and what each holds.
import { historyItem } from "./frames.js";
import { Timeline } from "./timeline.js";

const historyPage = 50;
const listPages = 10;

/**
 * @typedef {object} Chat
 * @property {string} key
 * @property {string} [id] conversationId; none before the first message
 * @property {"direct"|"group"|"system"} kind
 * @property {{openid: string, name: string}} peer
 * @property {Timeline} timeline
 * @property {number} unread
 * @property {number} read up to where this person has read
 * @property {{text: string, at: number, mine: boolean}|null} last
 * @property {"no"|"busy"|"yes"} loaded whether its history has been read
 * @property {boolean} more whether there is older history
 * @property {{status: string, devices?: string[], lastSeen?: string}} [presence]
 */

/** Chats finds the conversation of whatever comes in, and reads lists and histories by REST. */
export class Chats {
  #api;
  #me;
  #marks;
  /** @type {Chat[]} */
  #chats = [];

  /**
   * @param {import("./api.js").Api} api
   * @param {string} me
   * @param {ReadMarks} marks
   */
  constructor(api, me, marks) {
    this.#api = api;
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

  /** Reads the list. Rejects with ApiError. */
  async refresh() {
    let cursor;
    for (let n = 0; n < listPages; n++) {
      const { items, next } = await this.#api.get("api/v1/conversations", { cursor });
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
    if (!peer) return null;
    return this.bind(this.withPerson(peer.openid, peer.name), record.conversationId);
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

  /** Somebody has the conversation before their eyes, up to seq. */
  looked(chat, seq = chat.timeline.newest) {
    chat.unread = 0;
    if (seq <= chat.read || !chat.id) return;
    chat.read = seq;
    this.#marks.set(chat.id, seq);
  }

  /** Reads the newest page of history, or the one before what stands here. Rejects with ApiError. */
  async history(chat, { older = false } = {}) {
    if (!chat.id) await this.#lookUp(chat);
    if (!chat.id) return [];
    const before = older ? chat.timeline.oldest : Number.MAX_SAFE_INTEGER;
    const { items = [], next } = await this.#api.get(`api/v1/conversations/${chat.id}/messages`, { before, limit: historyPage });
    chat.more = Boolean(next);
    const messages = items.map((item) => historyItem(item, chat.id, this.#me)).filter((item) => !item.passed && item.kind !== "event");
    return messages.map((item) => chat.timeline.put(item));
  }

  /** What stands here may have holes: forget it, not who there is. `unread`: positions are void, so the marks are too. */
  reset({ unread }) {
    if (unread) this.#marks.clear();
    for (const chat of this.#chats) {
      Object.assign(chat, { timeline: new Timeline(), loaded: "no", more: false }, unread && { read: 0, unread: 0, last: null });
    }
  }

  #listed({ conversationId, kind, peer, group, lastMessage, lastSeq = 0, readSeq = 0, unread = 0 }) {
    const chat = this.#byId(conversationId) ?? this.#named(conversationId, kind, peer, group);
    if (peer?.userName) chat.peer.name = peer.userName;
    chat.read = Math.max(chat.read, readSeq, this.#marks.get(conversationId));
    // What was read on this browser and not told to the server yet is not unread, whatever the server counts.
    chat.unread = chat.read > readSeq ? Math.min(unread, Math.max(0, lastSeq - chat.read)) : unread;
    if (lastMessage) this.#last(chat, historyItem(lastMessage, conversationId, this.#me));
  }

  #named(id, kind, peer, group) {
    if (kind === "direct" && peer) return this.bind(this.withPerson(peer.openid, peer.userName), id);
    const name = kind === "group" ? { openid: group?.groupId ?? id, name: group?.name ?? "" } : { openid: "system", name: "Announcements" };
    return this.#add({ id, kind, peer: name });
  }

  async #lookUp(chat) {
    const found = this.#api.get("api/v1/conversations", { with: chat.peer.openid });
    const { items } = await found.catch((error) => (error.status === 404 ? {} : Promise.reject(error)));
    for (const item of items ?? []) this.#listed(item);
  }

  #message(chat, record) {
    if (!record.mine && chat.kind === "direct" && record.from.name) chat.peer.name = record.from.name;
    this.#last(chat, record);
    chat.timeline.put(record);
  }

  #last(chat, { text, at, mine, kind }) {
    if (chat.last && at < chat.last.at) return;
    chat.last = { text: kind === "message" ? text : "", at, mine };
  }

  #byId(id) {
    return id ? this.#chats.find((chat) => chat.id === id) : undefined; // before its first message one has no id
  }

  #add(fields) {
    const chat = { key: `c${this.#chats.length + 1}`, timeline: new Timeline(), unread: 0, read: 0, last: null, loaded: "no", more: false, ...fields };
    chat.read = chat.id ? this.#marks.get(chat.id) : 0;
    this.#chats.push(chat);
    return chat;
  }
}

/** ReadMarks remembers on this browser how far each conversation has been read, newest 500 conversations. */
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
    this.#storage.setItem(this.#key, JSON.stringify(Object.fromEntries([...this.#marks].slice(-500))));
  }

  clear() {
    this.#marks.clear();
    this.#storage.removeItem(this.#key);
  }
}
