/**
 * The Yanlink client for browsers.
 *
 *     import { connect } from "./yanlink.js";
 *     const link = connect({ base: "/im/", me: "rose", token: async () => myToken });
 *     link.on("message", (m) => { show(m); link.shown(m); });
 *     const sent = link.send("will", "hello");      // sent.state: sending, stored, delivered
 *     link.on("state", (entry) => repaint(entry));  // the same object, changed
 *
 * It hands out every message of a conversation once and in order, acknowledges what the page says it has shown, sends
 * again under the same msgid what got no answer, and comes back after whatever ended the connection, as the protocol's
 * close codes say. Nothing it promises depends on a connection lasting.
 */
import { Api } from "./api.js";
import { Type, ackUpTo, historyItem, millis, record, send, sync, syncId } from "./frames.js";
import { Link } from "./link.js";
import { Memory } from "./memory.js";
import { Inbox } from "./order.js";
import { Outbox, OutboxFull } from "./outbox.js";

export { ApiError } from "./api.js";
export { OutboxFull };

const retryRefused = 1_000; // before a message that was refused for now is sent again
const answerTimeout = 10_000; // before a message without an answer is sent again
const gapPatience = 500; // before a gap is filled from history: resends mostly close it sooner
const page = 100; // positions of one history request

/**
 * Connects and stays connected. See Client for what it returns.
 * @param {object} options
 * @param {string|URL} [options.base] where the bundle is mounted; default: beside the page
 * @param {string} options.me openid that the token stands for
 * @param {(how: {renew: boolean}) => Promise<string>} options.token `renew` asks for another one than last time;
 *   reject with an error whose `final` is true when nobody is logged in any more
 * @param {string} [options.device] default "web"; a name that begins with ~ is forgotten soon after it disconnects
 * @param {Storage|null} [options.storage] keeps outbox and marks; default sessionStorage
 * @param {object} [env] WebSocket, fetch, timers, clock and chance, for tests
 * @returns {Client}
 */
export function connect(options, env = {}) {
  const client = new Client(options, { ...browser(), ...env });
  client.start();
  return client;
}

/**
 * Client. Events, by `on(name, listener)`:
 * - `connection` {state, retryAt?, code?, why?}, as in link.js
 * - `message`, `recalled`, `event`: a record (frames.js) that was not handed out before; call `shown` once it is visible
 * - `state`: an outbox entry that changed
 * - `delivered` {messageId, msgid, to, device, at}: every proof, of each device, whoever sent the message
 * - `reset` {why: "epoch"|"device"}: what the page shows may be incomplete or void: read it again by REST
 * - `error`: {code, message} of the server, or an Error of ours
 */
export class Client {
  #me;
  #env;
  #api;
  #link;
  #memory;
  #inbox;
  #outbox;
  #epoch;
  #listeners = new Map();
  #toAck = new Map(); // conversationId -> upTo, written together at the end of the task
  #filling = new Set();
  #sendTimer;
  #goneAway = [];

  constructor({ base, me, token, device = "web", storage = globalThis.sessionStorage ?? null }, env) {
    const root = new URL(base ?? ".", globalThis.document?.baseURI);
    this.#me = me;
    this.#env = env;
    this.#memory = new Memory(storage, `yanlink:${root.pathname}:${me}:${device}`, (error) => this.#emit("error", error));
    const { epoch, marks, outbox } = this.#memory.load();
    this.#epoch = epoch;
    this.#inbox = new Inbox({ marks });
    this.#outbox = new Outbox({ entries: outbox });
    let current = "";
    this.#api = new Api(root, () => current, env.fetch);
    const url = new URL(`ws?v=1&device=${encodeURIComponent(device)}`, root);
    url.protocol = url.protocol.replace("http", "ws");
    this.#link = new Link({
      url: url.href,
      token: async (how) => (current = await token(how)),
      why: () => this.#api.get("api/v1/me").then(() => ({ status: 200 }), (error) => error),
      onFrame: (frame) => this.#frame(frame),
      onState: (state) => this.#connection(state),
      onError: (error) => this.#emit("error", error),
    }, env);
  }

  /** Listens; returns what stops listening. */
  on(name, listener) {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  /** Connects again after an end; does nothing otherwise. */
  start() {
    if (this.#goneAway.length === 0) this.#goneAway = this.#env.watch(() => this.#link.nudge());
    this.#link.start();
  }

  /** Disconnects. `forget` also drops the outbox and the marks: for logging out. */
  stop({ forget = false } = {}) {
    this.#goneAway.forEach((unwatch) => unwatch());
    this.#goneAway = [];
    this.#env.clearTimeout(this.#sendTimer);
    this.#link.stop();
    if (forget) this.#memory.forget();
  }

  /** Does not wait any longer to connect again. */
  retryNow() {
    this.#link.nudge();
  }

  /** How the connection stands. */
  get connection() {
    return this.#link.state;
  }

  /**
   * Sends a message, now or as soon as there is a connection. The entry it returns is the one that `state` events carry.
   * Throws OutboxFull.
   * @returns {import("./outbox.js").Entry}
   */
  send(to, text, { msgid = randomId(), fileType = 0 } = {}) {
    const entry = this.#outbox.add({ msgid, to, text, fileType, at: this.#env.now() });
    this.#save();
    this.#flush();
    return entry;
  }

  /** Messages that the server has not taken yet, also those of an earlier page; all, or those to one person. */
  unsent(to) {
    return this.#outbox.unsent().filter((entry) => !to || entry.to === to);
  }

  /** The page has shown this record: acknowledges it and all before it in its conversation. */
  shown({ conversationId, seq }) {
    const upTo = this.#inbox.shown(conversationId, seq);
    if (upTo) this.#acknowledge(conversationId, upTo);
  }

  /** Asks whether messages of ours that an earlier page sent have been delivered; the answers are `delivered` events. */
  askDelivered(messages) {
    if (messages.length === 0) return;
    for (const message of messages) this.#outbox.watch(message);
    this.#save();
    this.#link.send(sync({}, messages.map((message) => message.messageId)));
  }

  #connection(state) {
    if (state.state !== "online") this.#outbox.lost();
    this.#emit("connection", state);
  }

  #frame(frame) {
    switch (frame.type) {
      case Type.hello:
        return this.#hello(frame.params);
      case Type.accepted:
        return this.#accepted(frame);
      case Type.delivered:
        return this.#delivered(frame.params);
      case Type.synced:
        return this.#synced(frame.params);
      case Type.error:
        return this.#refused(frame);
      default: {
        const position = record(frame, this.#me);
        if (position) this.#take(position);
      }
    }
  }

  #hello({ epoch }) {
    const now = String(epoch);
    if (this.#epoch !== undefined && this.#epoch !== now) {
      this.#inbox = new Inbox();
      this.#outbox.forgetStored();
      this.#toAck.clear();
      this.#emit("reset", { why: "epoch" });
    }
    this.#epoch = now;
    this.#save();
    this.#sync();
    this.#flush();
  }

  /** Says where we stand and asks what became of what we sent. */
  #sync() {
    this.#link.send(sync(this.#inbox.marks(), this.#outbox.pending()));
  }

  #take(position) {
    const { ready, repeat, gap } = this.#inbox.take(position);
    if (repeat && this.#inbox.mark(position.conversationId) >= position.seq) {
      this.#acknowledge(position.conversationId, this.#inbox.mark(position.conversationId));
    }
    this.#hand(ready);
    if (gap) this.#fill(gap.conversationId);
  }

  #hand(records) {
    for (const one of records) this.#emit(one.kind === "expired" ? "event" : one.kind, one);
  }

  /** Reads what is missing from history; one reader a conversation, until nothing is held back any more. */
  async #fill(conversationId) {
    if (this.#filling.has(conversationId)) return;
    this.#filling.add(conversationId);
    const inbox = this.#inbox;
    try {
      await this.#sleep(gapPatience);
      for (let gap = inbox.gap(conversationId); gap && inbox === this.#inbox; gap = inbox.gap(conversationId)) {
        const { items } = await this.#api.get(`api/v1/conversations/${conversationId}/messages`, { after: gap.after, limit: page });
        if (inbox !== this.#inbox || !items?.length) return; // the server sends it again anyway
        const { ready } = inbox.fill(conversationId, items.map((item) => historyItem(item, conversationId, this.#me)));
        this.#hand(ready);
      }
    } catch (error) {
      this.#emit("error", error);
    } finally {
      this.#filling.delete(conversationId);
    }
  }

  #accepted({ id, params }) {
    const entry = this.#outbox.accepted(id ?? params.msgid, { ...params, at: params.at });
    if (!entry) return;
    this.#save();
    this.#emit("state", entry);
    // What the server had already may have been delivered already, and the proof lost with the answer.
    if (entry.duplicate) this.#link.send(sync({}, [entry.messageId]));
    this.#flush();
  }

  #delivered(params) {
    const proof = { messageId: params.messageId, msgid: params.msgid, to: params.toUser, device: params.device, at: millis(params.at ?? params.date) };
    const entry = this.#outbox.delivered(proof);
    if (entry) {
      this.#save();
      this.#emit("state", entry);
      this.#flush();
    }
    this.#emit("delivered", proof);
  }

  #synced({ gone = [], reset = false, errors = [] }) {
    for (const entry of this.#outbox.gone(gone)) this.#emit("state", entry);
    // A mark that the ledger refuses stands for nothing: the next record is the new beginning.
    for (const { conversationId } of errors) this.#inbox.forget(conversationId);
    this.#save();
    if (reset) this.#emit("reset", { why: "device" });
  }

  #refused({ id, params }) {
    if (id === syncId) this.#syncRefused(params);
    const retryAt = this.#env.now() + retryRefused * (0.5 + this.#env.random());
    const entry = this.#outbox.refused(id ?? params.msgid, params, retryAt);
    if (!entry) return this.#emit("error", params);
    this.#save();
    this.#emit("state", entry);
    this.#flush();
  }

  /** Marks that the server cannot even read are worth nothing; while it cannot store them, it is asked again. */
  #syncRefused({ temporary }) {
    if (!temporary) this.#inbox = new Inbox();
    else this.#env.setTimeout(() => this.#sync(), retryRefused * (1 + this.#env.random()));
  }

  /** Writes what may be written, and comes back when an answer is overdue. */
  #flush() {
    this.#env.clearTimeout(this.#sendTimer);
    if (this.#link.state.state !== "online") return;
    const now = this.#env.now();
    for (const entry of this.#outbox.take(now, answerTimeout)) this.#link.send(send(entry));
    const due = this.#outbox.due();
    if (due !== undefined) this.#sendTimer = this.#env.setTimeout(() => this.#flush(), Math.max(0, due - now));
  }

  #acknowledge(conversationId, upTo) {
    if (this.#toAck.size === 0) queueMicrotask(() => this.#writeAcks());
    this.#toAck.set(conversationId, upTo);
  }

  #writeAcks() {
    this.#save();
    // Without a connection they are not lost: the marks of the next sync say the same.
    for (const [conversationId, upTo] of this.#toAck) this.#link.send(ackUpTo(conversationId, upTo));
    this.#toAck.clear();
  }

  #save() {
    this.#memory.save({ epoch: this.#epoch, marks: this.#inbox.marks(), outbox: this.#outbox.toJSON() });
  }

  #sleep(ms) {
    return new Promise((done) => this.#env.setTimeout(done, ms));
  }

  #emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) listener(detail);
  }
}

/** A msgid; crypto.randomUUID is not there on pages that came over plain HTTP. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a browser has; `watch` calls back when trying at once makes sense. */
function browser() {
  return {
    WebSocket: globalThis.WebSocket,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    now: () => Date.now(),
    random: () => Math.random(),
    watch(nudge) {
      const seen = () => document.visibilityState === "visible" && nudge();
      window.addEventListener("online", nudge);
      document.addEventListener("visibilitychange", seen);
      return [() => window.removeEventListener("online", nudge), () => document.removeEventListener("visibilitychange", seen)];
    },
  };
}
