// Yanlink for browsers and Node.js, long since it is copied as one file. What each call promises stands in yanlink.d.ts.

const patience = 10_000; // for an answer
const tokenPatience = 60_000; // it may want a dialog
const most = 200; // of anything that is kept: no more than one sync may name

export class YanlinkError extends Error {
  constructor(code, message = code, more = {}) {
    super(message);
    Object.assign(this, { name: "YanlinkError", code, status: 0, temporary: false, ...more });
  }
}

export function connect(options) {
  return new Link(options);
}

// ── How long to wait, and whether to come back

const ends = {
  1000: "closed", 1001: "closed", 1007: "bug", 1009: "bug", 4400: "bug", 4403: "forbidden", 4409: "replaced",
};

/** Full jitter, below a ceiling that doubles with each failure in a row. */
const backoff = (failures) => Math.round(Math.random() * Math.min(20_000, 500 * 2 ** Math.min(failures, 16)));

function delayAfter(code, reason, failures) {
  // At once, since another node or a new token is waiting; but not in a circle.
  if ((code === 1012 || code === 4401) && failures === 0) return 0;
  const hint = /"retryAfterMs":\s*(\d+)/.exec(reason);
  return hint ? Number(hint[1]) : backoff(failures);
}

// ── Frames

const Type = {
  accepted: 0, send: 1, message: 2, sendGroup: 9, groupMessage: 10, ack: 15, delivered: 17, renew: 22, watch: 23, presence: 24,
  read: 25, readBy: 26, signal: 27, sync: 28, synced: 29, recall: 30, recalled: 31, event: 32, hello: 33, error: 500,
};

const kinds = { [Type.message]: "message", [Type.groupMessage]: "message", [Type.recalled]: "recalled", [Type.event]: "event" };

/** Envelopes and replies alike become {type, params, id, messageId, at}. */
function parse(text) {
  const frame = JSON.parse(text);
  const { type, params = {} } = frame.msg ?? frame;
  return { type, params, id: frame.id, messageId: frame.messageId, at: params.at ?? frame.activeTime };
}

/** What stands at a position, from a frame or from history. */
const place = (fields, from, me, more) =>
  ({ prevSeq: 0, message: "", ...fields, from, mine: from?.openid === me, fileType: Number(fields.fileType ?? 0), ...more });

function recordOf({ type, params, messageId, at }, me) {
  const kind = kinds[type];
  if (!kind || !params.conversationId || !(params.seq > 0)) return null;
  return place(params, person(params.fromUser ?? params.by ?? params.user), me, { kind, messageId, at, to: person(params.toUser) });
}

function historyItem(item, conversationId, me) {
  const kind = ["message", "recalled", "expired", "recall"].includes(item.kind) ? item.kind : "event";
  return place(item, item.from, me, { kind, event: item.kind, conversationId, at: millis(item.at) });
}

const person = (user) => (typeof user === "string" ? { openid: user } : user && { openid: user.openid, userName: user.userName });

/** Epoch ms over the socket, RFC 3339 by REST. */
const millis = (time) => (typeof time === "number" ? time : Date.parse(time) || 0);

/** crypto.randomUUID is not there on pages that came over plain HTTP. */
const randomId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

/** The subprotocol carries the token, so that no URL and no log does; a cookie carries an empty one. */
function subprotocols(token) {
  if (!token) return ["yanlink.v1"];
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(token)));
  return ["yanlink.v1", `yanlink.token.${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`];
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function bound(collection) {
  for (const key of collection.keys()) if (collection.size > most) collection.delete(key);
}

// ── One lasting connection made of many short ones

class Connection {
  state = { state: "ended", why: "closed" };
  #on;
  #socket = null;
  #round = 0; // of attempts: late answers are of an earlier one
  #failures = 0;
  #renew = false; // ask for a new token first
  #fresh = false; // the token was renewed since the last hello
  #since = 0; // of hello
  #idle = 30_000;
  #retryTimer;
  #deadline;
  #idleTimer;

  constructor(on) {
    this.#on = on;
  }

  start() {
    if (this.state.state !== "ended") return;
    this.#failures = 0;
    this.#fresh = false;
    this.#attempt();
  }

  stop(why = "closed", code, reason) {
    this.#drop(1000);
    this.#set({ state: "ended", why, code, reason });
  }

  send(frame) {
    if (this.state.state === "online") this.#socket.send(JSON.stringify(frame));
  }

  /** The network may be back: do not wait any longer, do not trust blindly. */
  nudge() {
    if (this.state.state === "waiting") this.#attempt();
    else this.#probe();
  }

  async #attempt() {
    this.#drop();
    const round = this.#round;
    this.#set({ state: "connecting" });
    this.#deadline = setTimeout(() => this.#broken(), tokenPatience);
    let token;
    try {
      token = await this.#on.token(this.#renew);
    } catch (error) {
      if (round !== this.#round) return;
      clearTimeout(this.#deadline);
      if (error.final) return this.stop("signed_out");
      this.#on.error(error);
      return this.#wait(backoff(this.#failures++));
    }
    if (round !== this.#round) return;
    this.#fresh ||= this.#renew;
    this.#renew = false;
    this.#open(token);
  }

  #open(token) {
    const socket = new this.#on.WebSocket(this.#on.url(), subprotocols(token));
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => { opened = true; };
    socket.onmessage = ({ data }) => socket === this.#socket && this.#heard(data);
    socket.onerror = () => {}; // onclose says it too
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#drop();
      if (opened) this.#closed(code, reason);
      else this.#turnedAway();
    };
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#broken(), patience);
  }

  #heard(data) {
    clearTimeout(this.#deadline);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#probe(), this.#idle);
    let frame;
    try {
      frame = parse(data);
    } catch (error) {
      return this.#on.error(error);
    }
    if (frame.type === Type.hello) {
      // Under a token of somebody else, the queue of this person must not be sent.
      if (frame.params.openid !== this.#on.me) return this.stop("identity_mismatch");
      this.#since = Date.now();
      this.#fresh = false;
      this.#idle = (frame.params.heartbeatSeconds || 30) * 1000;
      this.#set({ state: "online" });
    }
    if (frame.type !== "pong") this.#on.frame(frame);
  }

  #probe() {
    if (this.state.state !== "online") return;
    this.send({ type: "20" });
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#broken(), patience);
  }

  /** Nobody answers, and would answer a close handshake. */
  #broken() {
    this.#drop();
    this.#closed(1006, "");
  }

  #closed(code, reason) {
    if (this.state.state === "online" && Date.now() - this.#since >= 5_000) this.#failures = 0;
    if (code === 4401) this.#renew = true;
    if (ends[code] && !(code === 4409 && this.#on.replaced())) return this.stop(ends[code], code, reason);
    this.#wait(delayAfter(code, reason, this.#failures++), code);
  }

  /** A browser does not see why a handshake failed; who we are tells it. */
  async #turnedAway() {
    const round = this.#round;
    const { status, retryAfter } = await this.#on.whoAmI();
    if (round !== this.#round) return;
    if (status === 403) return this.stop("forbidden");
    if (status === 401 && this.#fresh) return this.stop("signed_out");
    this.#renew ||= status === 401;
    // Some more, so that those turned away together do not come back together.
    const delay = retryAfter > 0 ? retryAfter * (1000 + Math.random() * 250) : backoff(this.#failures);
    this.#failures++;
    this.#wait(status === 401 ? 0 : delay);
  }

  #wait(delay, code) {
    this.#set({ state: "waiting", retryAt: Date.now() + delay, code });
    this.#retryTimer = setTimeout(() => this.#attempt(), delay);
  }

  #drop(code) {
    for (const timer of [this.#retryTimer, this.#deadline, this.#idleTimer]) clearTimeout(timer);
    this.#round++;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  #set(state) {
    this.state = state;
    this.#on.state(state);
  }
}

// ── Every record of a conversation once, and in the order of its seq

/** A record names the seq before it that was due to this device: it may pass when that one has, else it is held back. */
class Inbox {
  #rooms = new Map();

  constructor(marks = new Map()) {
    for (const [id, seq] of marks) this.#rooms.set(id, { given: seq, held: new Map() });
  }

  begin(id, from) {
    if (!this.#rooms.has(id)) this.#rooms.set(id, { from, given: from, held: new Map() });
    return this.#rooms.get(id);
  }

  /** Where the conversations begin of which nothing has been acknowledged. */
  news() {
    return [...this.#rooms].map(([id, { from }]) => [id, from]).filter(([, from]) => from >= 0);
  }

  old(id) {
    delete this.#rooms.get(id)?.from;
  }

  /** Returns what may pass now, or null for a repeat. */
  take(record) {
    // The server sends in order, so the first one seen shows where we stand.
    const room = this.begin(record.conversationId, record.prevSeq);
    if (record.seq <= room.given) return null;
    // What finds no room is forgotten: nobody acknowledged it, so it comes again.
    if (room.held.size < most || record.prevSeq <= room.given) room.held.set(record.seq, record);
    return this.#drain(room);
  }

  /** Takes history from right after the last record that passed, oldest first. */
  fill(id, items) {
    const room = this.#rooms.get(id);
    return items.filter(({ seq }) => seq > room.given).flatMap((item) => {
      if (item.seq <= room.given) return [];
      room.given = item.seq;
      room.held.delete(item.seq);
      const due = item.messageId && (item.kind === "message" || item.kind === "event");
      return [...(due ? [item] : []), ...this.#drain(room)];
    });
  }

  /** The seq after which something is missing; undefined if nothing is. */
  gap(id) {
    const room = this.#rooms.get(id);
    return room?.held.size > 0 ? room.given : undefined;
  }

  forget(id) {
    this.#rooms.delete(id);
  }

  #drain(room) {
    const ready = [];
    for (const record of [...room.held.values()].sort((a, b) => a.seq - b.seq)) {
      if (record.prevSeq > room.given) break;
      room.held.delete(record.seq);
      if (record.seq <= room.given) continue;
      room.given = record.seq;
      ready.push(record);
    }
    return ready;
  }
}

// ── What outlives the page

function database(name) {
  const opened = new Promise((done, fail) => {
    const asked = indexedDB.open(name, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("state", { keyPath: "key" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const run = (act, mode = "readwrite") => async (value) => {
    const transaction = (await opened).transaction("state", mode);
    const asked = transaction.objectStore("state")[act](value);
    return new Promise((done, fail) => {
      transaction.oncomplete = () => done(asked.result);
      transaction.onabort = () => fail(transaction.error);
    });
  };
  return { all: run("getAll", "readonly"), put: run("put"), delete: run("delete"), clear: run("clear") };
}

// ── The client

/** A tab without Web Locks is a device of its own; a reload keeps its name. */
function passingName(key, before) {
  let name = `~${randomId().slice(0, 8)}`;
  try {
    const { sessionStorage } = globalThis;
    name = (before ?? sessionStorage?.getItem(key)) || name;
    sessionStorage?.setItem(key, name);
  } catch {}
  return name;
}

/**
 * Tabs of one person share the connection of the one that holds the lock. Each orders and queues for itself, so any may end at
 * any moment. What two send of one queue is one message, by msgid.
 */
export class Link {
  #options;
  #root;
  #name;
  #store;
  #device;
  #passing;
  #connection;
  #state = { state: "connecting" };
  #channel = null;
  #leading = false;
  #ended = new AbortController();
  #tab = randomId();
  #hello; // for tabs that come later
  #token;
  #tokens = {}; // renew -> the one that is asked for
  #renewTimer;
  #listeners = new Map();
  #heed;
  #heeded = new Promise((done) => { this.#heed = done; }); // nothing is acknowledged before somebody listens
  #ready;
  #epoch;
  #frameBytes = 65_536; // of hello
  #inbox = new Inbox();
  #tails = new Map(); // conversationId -> the handlers that run
  #marks = new Map(); // conversationId -> acknowledged up to, by any tab
  #dirty = false;
  #saving = false;
  #filling = new Set();
  #queue = new Map(); // msgid -> {entry, sent}
  #lanes = new Map(); // recipient -> the last one to be sent to it
  #count = 0;
  #asked = new Map(); // id -> {frame, done, fail, timer}: requests without an answer
  #spoken = new Map(); // id -> frame: requests of all tabs that went over our socket
  #unproved = new Set(); // messageIds whose 17 is awaited
  #proofs = new Map(); // messageId -> those that were told
  #watched = new Set(); // openids whose presence is wanted

  constructor(options) {
    const { me, base = ".", device = "web", storage, share = "document" in globalThis } = options;
    this.#options = options;
    this.#root = new URL(base, globalThis.document?.baseURI);
    this.#name = `yanlink:${this.#root.href.replace(globalThis.location?.origin, "")}:${me}:${device}`;
    const shared = share && Boolean(globalThis.navigator?.locks);
    this.#passing = share && !shared;
    this.#device = this.#passing ? passingName(this.#name) : device;
    this.#store = storage ?? ("indexedDB" in globalThis ? database(this.#name) : null);
    this.#connection = new Connection({
      me,
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      url: () => this.#url(),
      token: (renew) => this.#newToken(renew),
      whoAmI: () => this.#fetch("GET", "me").then(() => ({ status: 200 }), (error) => error),
      frame: (frame) => this.#pass(frame),
      state: (state) => { this.#post({ state }); this.#become(state); },
      error: (error) => this.#emit("error", error),
      replaced: () => this.#rename(),
    });
    this.#ready = this.#load();
    if (shared) this.#share();
    else this.#ready.then(() => this.#lead());
    this.#watchPage();
  }

  get connection() {
    return this.#state;
  }

  get device() {
    return this.#device;
  }

  get unsent() {
    return [...this.#queue.values()].map(({ entry }) => entry);
  }

  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    if (name === "message") this.#heed();
    return () => listeners.delete(listener);
  }

  start() {
    this.#drive("start");
  }

  retryNow() {
    this.#drive("nudge");
  }

  async close({ forget = false } = {}) {
    this.#ended.abort(); // lets go of the lock and of the page's events
    clearTimeout(this.#renewTimer);
    this.#channel?.close(); // first: for the other tabs it does not end
    this.#channel = null;
    this.#connection.stop();
    for (const ask of this.#asked.values()) this.#settle(ask).fail(new YanlinkError("closed"));
    if (forget) await this.#keep("clear");
  }

  async send(to, message, { msgid = randomId(), fileType = 0 } = {}) {
    if (this.#queue.size >= most) throw new YanlinkError("queue_full", "too many messages wait to be sent already");
    const at = Date.now();
    const key = `out:${at}:${String(this.#count++).padStart(6, "0")}:${this.#tab}`;
    const entry = { key, msgid, ...target(to, "to"), message, fileType, at, state: "sending" };
    this.#keep("put", { ...entry });
    await this.#ready; // what an earlier page left goes first
    return this.#enqueue(entry);
  }

  read(conversationId, seq) {
    return this.#request({ type: Type.read, params: { conversationId, seq } });
  }

  recall(messageId) {
    return this.#request({ type: Type.recall, params: { messageId } });
  }

  typing(to, signal = "typing") {
    this.#write({ type: Type.signal, params: { ...target(to, "toMessageId"), signal } });
  }

  watch(users) {
    for (const user of users) this.#watched.add(user);
    bound(this.#watched);
    this.#write(watch(this.#watched));
  }

  track(messageIds) {
    for (const id of messageIds) {
      this.#unproved.add(id);
      this.#proofs.delete(id); // whoever asks is told again
    }
    bound(this.#unproved);
    if (messageIds.length > 0) this.#write(this.#sync(messageIds.slice(-most)));
  }

  async renew() {
    const token = await this.#newToken(true);
    if (this.#state.state === "ended") throw new YanlinkError("closed");
    if (token) await this.#request({ type: Type.renew, params: { token } });
  }

  async history(conversationId, query = {}) {
    const { items, next } = await this.rest("GET", `conversations/${conversationId}/messages`, { query });
    return { items: (items ?? []).map((item) => historyItem(item, conversationId, this.#options.me)), next };
  }

  async rest(method, path, options) {
    const token = this.#token;
    try {
      return await this.#fetch(method, path, options);
    } catch (error) {
      if (error.status !== 401) throw error;
      if (!token || token === this.#token) await this.#newToken(true);
      return this.#fetch(method, path, options);
    }
  }

  // ── Start, and other tabs

  /** What earlier pages and tabs left: their messages, and the first time their place. */
  async #load() {
    for (const value of (await this.#keep("all")) ?? []) {
      if (value.key !== "place") this.#enqueue(value);
      else if (this.#epoch === undefined) {
        this.#epoch = value.epoch;
        this.#marks = new Map(value.marks);
        this.#inbox = new Inbox(this.#marks);
      }
    }
  }

  /** A storage that is full or forbidden costs the memory, not the message. */
  #keep(act, value) {
    return this.#store?.[act](value).catch((error) => this.#emit("error", error));
  }

  #share() {
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#fromTab(data);
    const { signal } = this.#ended;
    const hold = async () => {
      await this.#ready;
      this.#lead();
      if (!signal.aborted) await new Promise((done) => { signal.onabort = done; });
    };
    navigator.locks.request(this.#name, { signal }, hold).catch((error) => {
      if (signal.aborted) return; // closed while it waited
      this.#emit("error", error);
      this.#channel.close();
      this.#channel = null;
      this.#passing = true;
      this.#device = passingName(this.#name);
      this.#ready.then(() => this.#lead());
    });
    this.#post({ come: this.#tab });
  }

  #lead() {
    if (this.#ended.signal.aborted) return;
    this.#leading = true;
    if (this.#state.state !== "ended") this.#connection.start();
  }

  #drive(act) {
    if (this.#leading) this.#connection[act]();
    else this.#post({ act });
  }

  #fromTab({ come, say, shown, act, state, heard, of, news = [], to }) {
    if (to && to !== this.#tab) return;
    if (shown) this.#mark(...shown);
    if (!this.#leading) {
      for (const [id, from] of news) this.#inbox.begin(id, from); // what nobody showed is shown here, too
      if (state) this.#become(state);
      if (heard) this.#hear(heard, of);
      return;
    }
    if (come) this.#post({ state: this.#state, heard: this.#state.state === "online" && this.#hello, news: this.#inbox.news(), to: come });
    if (say) this.#speak(say);
    if (act) this.#connection[act]();
  }

  #post(data) {
    this.#channel?.postMessage(data);
  }

  #watchPage() {
    const { signal } = this.#ended;
    globalThis.addEventListener?.("online", () => this.retryNow(), { signal });
    const { document } = globalThis;
    document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.retryNow(), { signal });
  }

  #url() {
    const url = new URL(`ws?v=1&device=${encodeURIComponent(this.#device)}`, this.#root);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  /** A tab that was duplicated came with its name. */
  #rename() {
    if (this.#passing) this.#device = passingName(this.#name, "");
    return this.#passing;
  }

  #become(state) {
    this.#state = state;
    for (const ask of this.#asked.values()) {
      if (ask.frame.type !== Type.renew) continue;
      ask.late ||= state.state === "connecting"; // under a newer token
      if (state.state === "ended") this.#settle(ask).fail(new YanlinkError("closed"));
    }
    this.#emit("connection", state);
  }

  #emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }

  // ── Frames

  #write(frame) {
    if (this.#leading) this.#speak(frame);
    else this.#post({ say: frame });
  }

  #speak(frame) {
    if (frame.type === Type.watch) {
      for (const user of frame.params.users) this.#watched.add(user);
      bound(this.#watched);
      frame = watch(this.#watched); // one subscription for all tabs
    }
    if (frame.id) bound(this.#spoken.set(frame.id, frame));
    this.#connection.send(frame);
  }

  /** From our socket to all tabs, with the request where it is a reply. */
  #pass(frame) {
    if (frame.type === Type.hello) this.#hello = frame;
    const of = this.#spoken.get(frame.id);
    this.#spoken.delete(frame.id);
    this.#post({ heard: frame, of });
    this.#hear(frame, of);
  }

  #hear(frame, of) {
    const { type, params, id, at } = frame;
    const asked = this.#asked.get(id);
    if (asked) {
      this.#settle(asked);
      if (type === Type.error) asked.fail(refusal(params));
      else asked.done(params);
    }
    const { me } = this.#options;
    const tell = (name, detail) => this.#emit(name, detail);
    switch (type) {
      case Type.hello: return this.#welcome(params);
      case Type.accepted: return !asked && of && tell("outgoing", stored(entryOf(of.params, of.type), params));
      case Type.delivered: return this.#proved(params, at);
      case Type.watch: return params.users.forEach((user) => tell("presence", user));
      case Type.presence: return tell("presence", params);
      case Type.read: return of && tell("read", { ...params, user: me, at });
      case Type.readBy: return tell("read", { ...params, at });
      case Type.recall: return of && tell("recalled", { kind: "recalled", recalled: of.params.messageId, mine: true });
      case Type.signal: return params.fromUser && tell("typing", { ...params, from: person(params.fromUser) });
      case Type.synced: return this.#synced(params);
      case Type.error: return id?.startsWith?.("sync:") ? this.#syncRefused(id, params) : !of && tell("error", refusal(params));
    }
    const record = recordOf(frame, me);
    if (record) this.#take(record);
  }

  #request(frame, id = randomId()) {
    return new Promise((done, fail) => {
      if (this.#ended.signal.aborted) return fail(new YanlinkError("closed"));
      this.#asked.set(id, { frame: { ...frame, id }, done, fail });
      this.#ask(this.#asked.get(id));
    });
  }

  #settle(ask) {
    clearTimeout(ask.timer);
    this.#asked.delete(ask.frame.id);
    return ask;
  }

  #ask(ask) {
    clearTimeout(ask.timer);
    if (this.#state.state === "online") {
      const fault = unfit(ask.frame, this.#frameBytes);
      if (fault) return this.#settle(ask).fail(fault);
      this.#write(ask.frame);
    }
    // Told again, it might take the place of a newer one.
    if (ask.frame.type !== Type.renew) ask.timer = setTimeout(() => this.#ask(ask), patience);
  }

  #welcome({ epoch, frameBytes }) {
    this.#frameBytes = frameBytes ?? this.#frameBytes;
    if (this.#epoch !== undefined && this.#epoch !== String(epoch)) {
      this.#inbox = new Inbox();
      this.#marks.clear();
      this.#unproved.clear();
      this.#emit("reset", { why: "epoch" });
    }
    this.#epoch = String(epoch);
    if (this.#leading) {
      this.#save();
      this.#load();
    }
    this.#write(this.#sync([...this.#unproved], this.#leading ? Object.fromEntries(this.#marks) : {}));
    if (this.#watched.size > 0) this.#write(watch(this.#watched));
    for (const ask of this.#asked.values()) ask.late ? this.#settle(ask).done() : this.#ask(ask);
  }

  #sync(pending, conversations = {}) {
    return { type: Type.sync, id: `sync:${this.#tab}`, params: { conversations, pending } };
  }

  #synced({ gone = [], reset = false, errors = [] }) {
    for (const id of gone) this.#unproved.delete(id);
    if (gone.length > 0) this.#emit("gone", { messageIds: gone });
    // A mark that the ledger refuses stands for nothing.
    for (const { conversationId } of errors) {
      this.#inbox.forget(conversationId);
      this.#marks.delete(conversationId);
    }
    if (reset) this.#emit("reset", { why: "device" });
  }

  /** Marks that the server cannot read are worth nothing. */
  async #syncRefused(id, { temporary }) {
    if (id !== `sync:${this.#tab}`) return;
    if (!temporary) {
      this.#inbox = new Inbox();
      return this.#marks.clear();
    }
    await sleep(1000 + backoff(1));
    if (this.#state.state === "online") this.#write(this.#sync([...this.#unproved], Object.fromEntries(this.#marks)));
  }

  // ── What comes in

  #take(record) {
    const { conversationId, seq } = record;
    const ready = this.#inbox.take(record);
    const mark = this.#marks.get(conversationId);
    if (ready) this.#hand(ready);
    else if (this.#leading && seq <= mark) this.#mark(conversationId, mark); // the acknowledgement was lost
    if (this.#inbox.gap(conversationId) !== undefined) this.#fill(conversationId);
  }

  #hand(records) {
    const inbox = this.#inbox;
    for (const record of records) {
      const id = record.conversationId;
      const tail = (this.#tails.get(id) ?? this.#heeded).then(() => this.#show(record, inbox));
      this.#tails.set(id, tail);
      tail.then(() => this.#tails.get(id) === tail && this.#tails.delete(id));
    }
  }

  /** A handler that fails gets the record again. */
  async #show(record, inbox) {
    const over = () => inbox !== this.#inbox || this.#ended.signal.aborted;
    for (const listener of this.#listeners.get(record.kind) ?? []) {
      for (let failures = 1; !over(); failures++) {
        try {
          await listener(record);
          break;
        } catch (error) {
          this.#emit("error", error);
          await sleep(500 + backoff(failures));
        }
      }
    }
    if (over()) return;
    const shown = [record.conversationId, record.seq];
    this.#post({ shown });
    this.#mark(...shown);
  }

  /** Without a connection they are not lost: the next sync says the same. */
  #mark(id, upTo) {
    if (upTo < this.#marks.get(id)) return;
    this.#inbox.old(id);
    this.#marks.delete(id); // to the end: the ones that moved last are kept
    bound(this.#marks.set(id, upTo));
    if (!this.#leading) return;
    this.#speak({ type: Type.ack, params: { from: "client", conversationId: id, upTo } });
    this.#save();
  }

  async #save() {
    this.#dirty = !this.#passing;
    if (this.#saving) return;
    this.#saving = true;
    while (this.#dirty && !this.#ended.signal.aborted) {
      this.#dirty = false;
      await this.#keep("put", { key: "place", epoch: this.#epoch, marks: [...this.#marks] });
    }
    this.#saving = false;
  }

  /** Reads from history until nothing is held back. */
  async #fill(id) {
    if (this.#filling.has(id)) return;
    this.#filling.add(id);
    const inbox = this.#inbox;
    try {
      await sleep(500); // a resend mostly closes it sooner
      for (let after = inbox.gap(id); after !== undefined && inbox === this.#inbox; after = inbox.gap(id)) {
        const { items } = await this.history(id, { after, limit: 100 });
        if (inbox !== this.#inbox || items.length === 0) return;
        this.#hand(inbox.fill(id, items));
        // History does not say what a recall recalled.
        if (items.some(({ kind }) => kind === "recall")) this.#emit("reset", { why: "gap" });
      }
    } catch (error) {
      this.#emit("error", error);
    } finally {
      this.#filling.delete(id);
    }
  }

  // ── What goes out

  /** To one recipient one message at a time, so that they arrive in order. */
  #enqueue(entry) {
    const known = this.#queue.get(entry.msgid);
    if (known) return known.sent;
    const lane = entry.to ?? `,${entry.groupId}`; // no openid has a comma
    const sent = (this.#lanes.get(lane) ?? Promise.resolve()).then(() => this.#deliver(entry));
    const settled = sent.catch(() => {});
    this.#queue.set(entry.msgid, { entry, sent });
    this.#lanes.set(lane, settled);
    settled.then(() => this.#lanes.get(lane) === settled && this.#lanes.delete(lane));
    this.#emit("outgoing", entry);
    return sent;
  }

  async #deliver(entry) {
    for (let failures = 1; entry.state === "sending"; failures++) {
      try {
        stored(entry, await this.#request(frameOf(entry), entry.msgid));
      } catch (error) {
        if (error.code === "closed") throw error;
        entry.error = error;
        if (!error.temporary) entry.state = "refused";
        else {
          this.#emit("outgoing", entry);
          await sleep(Math.max(Math.min(error.retryAfterMs ?? 0, 20_000), 500 + backoff(failures)));
        }
      }
    }
    this.#queue.delete(entry.msgid);
    this.#keep("delete", entry.key);
    this.#emit("outgoing", entry);
    if (entry.state === "refused") throw entry.error;
    bound(this.#unproved.add(entry.messageId));
    // What the server had may have been delivered already, and the proof lost.
    if (entry.duplicate) this.#write(this.#sync([entry.messageId]));
    return entry;
  }

  /** The server may say the same again after a reconnect. */
  #proved(params, at) {
    const { messageId, toUser: to, device, delivered } = params;
    this.#unproved.delete(messageId);
    const proofs = this.#proofs.get(messageId) ?? new Set();
    const proof = JSON.stringify([to, device, delivered]);
    if (proofs.has(proof)) return;
    bound(this.#proofs.set(messageId, proofs.add(proof)));
    this.#emit("delivered", { ...params, to, at });
  }

  // ── REST

  /** Who asks at one time gets one answer. */
  #newToken(renew) {
    let ask = this.#tokens[renew];
    if (!(Date.now() < ask?.until)) {
      const answer = this.#getToken(renew).finally(() => { ask.until = 0; });
      this.#tokens[renew] = ask = { answer, until: Date.now() + tokenPatience };
    }
    return ask.answer;
  }

  async #getToken(renew) {
    const answer = await this.#options.token({ renew });
    const { token, expiresIn } = typeof answer === "string" ? { token: answer } : answer;
    this.#token = token;
    clearTimeout(this.#renewTimer);
    if (expiresIn > 0 && !this.#ended.signal.aborted) this.#renewTimer = setTimeout(() => this.#renewSoon(), Math.min(expiresIn * 800, 2 ** 31 - 1));
    return token;
  }

  #renewSoon() {
    if (this.#leading) this.renew().catch((error) => this.#emit("error", error));
  }

  async #fetch(method, path, { query = {}, body } = {}) {
    const url = new URL(`api/v1/${path}`, this.#root);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
    const token = this.#token ?? (await this.#newToken(false));
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    const response = await (this.#options.fetch ?? fetch)(url, {
      method, headers, credentials: token ? undefined : "include", body: body && JSON.stringify(body), cache: "no-store", signal: AbortSignal.timeout(patience),
    }).catch(() => { throw new YanlinkError("unreachable", "the server cannot be reached", { temporary: true }); });
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    const { status } = response;
    const { code = "http", message = `the server answered ${status}`, field } = answer?.error ?? {};
    throw new YanlinkError(code, message, {
      status, field, temporary: status === 429 || status >= 500, retryAfter: Number(response.headers.get("Retry-After")) || undefined,
    });
  }
}

const bytes = (text) => new TextEncoder().encode(text).length;

/** One name that cannot be one would have all refused. */
const watch = (users) => ({ type: Type.watch, params: { users: [...users].filter((user) => /^[^,\p{Cc}]+$/u.test(user) && bytes(user) <= 128) } });

const target = (to, name) => (typeof to === "string" ? { [name]: to } : { groupId: to.groupId });

const refusal = ({ code, message, ...more }) => new YanlinkError(code, message, more);

/** A server may not answer what it does not take. */
function unfit(frame, limit) {
  if (String(frame.id).length > 64) return new YanlinkError("bad_field", "msgid is too long", { field: "msgid" });
  const size = bytes(JSON.stringify(frame));
  return size > limit && new YanlinkError("too_large", `${size} bytes; at most ${limit}`);
}

const frameOf = ({ to, groupId, message, fileType, msgid }) =>
  ({ type: groupId ? Type.sendGroup : Type.send, params: { toMessageId: groupId ?? to, message, fileType, msgid } });

const entryOf = ({ toMessageId, message, fileType, msgid }, type) =>
  ({ [type === Type.send ? "to" : "groupId"]: toMessageId, message, fileType, msgid, state: "sending" });

function stored(entry, { messageId, conversationId, seq, duplicate = false, at, date }) {
  delete entry.error;
  return Object.assign(entry, { state: "stored", messageId, conversationId, seq, duplicate, at: millis(at ?? date) || entry.at });
}
