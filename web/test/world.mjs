// A client without a browser: sockets that the test plays, a clock that it turns, a storage, answers to fetch, tabs.
import { mock } from "node:test";
import { connect } from "../yanlink.js";

class FakeSocket {
  constructor(world, url, protocols) {
    Object.assign(this, { url, protocols, sent: [], closed: false });
    world.sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  /** The server accepts and says hello. */
  hello(params = {}) {
    this.onopen();
    this.say({ type: 33, params: { openid: "rose", device: "web", epoch: 1, heartbeatSeconds: 30, ...params }, status: 200 });
  }

  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  /** A message from will; prevSeq is the one before unless given. */
  message(seq, message = `text ${seq}`, { prevSeq = seq - 1, conversationId = "a1" } = {}) {
    this.say({
      activeTime: 5000 + seq, messageId: `id-${seq}`, msgType: 1, to: ["rose"],
      msg: { type: 2, status: 200, params: {
        toUser: { openid: "rose", userName: "Rose" }, fromUser: { openid: "will", userName: "Will" },
        message, fileType: "0", conversationId, seq, prevSeq, msgid: `m-${seq}`,
      } },
    });
  }

  /** The answer to a message of ours. */
  accept(msgid, seq, more = {}) {
    this.say({ type: 0, id: msgid, status: 200, params: { msgid, messageId: `id-${seq}`, conversationId: "a1", seq, at: 7000 + seq, ...more } });
  }

  refuse(id, code, temporary = false, more = {}) {
    this.say({ type: 500, id, status: 400, params: { code, message: code, temporary, ...more } });
  }

  /** The server, or the network, ends the connection. */
  end(code = 1006, reason = "") {
    this.onclose({ code, reason });
  }

  /** The params of what was sent under a type. */
  of(type) {
    return this.sent.filter((frame) => frame.type === type).map((frame) => frame.params);
  }
}

/** What a link remembers, as the storage option wants it. */
export class FakeStorage {
  values = new Map();
  all = async () => [...this.values.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map((value) => structuredClone(value));
  put = async (value) => { this.values.set(value.key, structuredClone(value)); };
  delete = async (key) => { this.values.delete(key); };
  clear = async () => { this.values.clear(); };
}

const events = ["connection", "message", "recalled", "event", "outgoing", "delivered", "read", "presence", "typing", "gone", "reset", "error"];

/** World is all that clients touch. One at a time: it turns the process's own clock. */
export class World {
  sockets = [];
  storage = new FakeStorage();
  requests = [];
  answers = {}; // path below the base -> {status, body, retryAfter}
  tokens = [];
  links = [];

  constructor() {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
    mock.method(Math, "random", () => 0.5);
  }

  /** Connects; what the link says stands in link.log. */
  link(options = {}) {
    const world = this;
    const link = connect({
      base: "http://host.test/im/", me: "rose", storage: this.storage,
      token: async (how) => { this.tokens.push(how); return `token-${this.tokens.length}`; },
      WebSocket: function (url, protocols) { return new FakeSocket(world, url, protocols); },
      fetch: (url, init) => this.#fetch(url, init),
      ...options,
    });
    link.log = [];
    link.of = (name) => link.log.filter(([event]) => event === name).map(([, detail]) => detail);
    for (const name of events) {
      if (name === "message" && options.deaf) continue;
      link.on(name, (detail) => { link.log.push([name, name === "outgoing" ? detail.state : detail]); });
    }
    this.links.push(link);
    return link;
  }

  /** The newest socket, once it is there. */
  async socket() {
    await this.settle();
    return this.sockets.at(-1);
  }

  /** A link that is online, and its socket. */
  async online(options, hello) {
    const link = this.link(options);
    const socket = await this.socket();
    socket.hello(hello);
    await this.settle();
    return { link, socket };
  }

  /** Lets promises finish. */
  async settle() {
    for (let turn = 0; turn < 60; turn++) await Promise.resolve();
  }

  /** Turns the clock, letting promises finish between. */
  async pass(ms) {
    await this.settle();
    for (let left = ms; left > 0; left -= 25) {
      mock.timers.tick(Math.min(left, 25));
      await this.settle();
    }
  }

  async #fetch(url, init) {
    const path = `${url.pathname}${url.search}`.replace("/im/", "");
    this.requests.push({ path, token: init.headers.Authorization, credentials: init.credentials });
    const { status = 200, body = {}, retryAfter } = this.answers[path] ?? { status: 404 };
    if (status === 0) throw new TypeError("unreachable");
    return { ok: status < 400, status, json: async () => body, headers: new Map([["Retry-After", retryAfter]]) };
  }
}

export const texts = (link) => link.of("message").map(({ message }) => message);

/** Gives this process what tabs have: locks and channels. Returns what takes them away again. */
export function asTabs() {
  const queues = new Map();
  const channels = new Set();
  const next = async (name) => {
    const queue = queues.get(name);
    await queue[0]?.().catch(() => {});
    queue.shift();
    if (queue.length > 0) next(name);
  };
  const locks = {
    request: (name, { signal }, held) => new Promise((done, fail) => {
      const queue = queues.get(name) ?? [];
      queues.set(name, queue);
      const turn = async () => done(await held());
      queue.push(turn);
      signal.addEventListener("abort", () => {
        if (queue.indexOf(turn) > 0) queue.splice(queue.indexOf(turn), 1);
        fail(signal.reason);
      });
      if (queue.length === 1) next(name);
    }),
  };
  class Channel {
    constructor(name) {
      this.name = name;
      channels.add(this);
    }

    postMessage(data) {
      const copy = structuredClone(data);
      for (const other of channels) {
        if (other !== this && other.name === this.name) queueMicrotask(() => channels.has(other) && other.onmessage({ data: copy }));
      }
    }

    close() {
      channels.delete(this);
    }
  }
  const before = { navigator: Object.getOwnPropertyDescriptor(globalThis, "navigator"), BroadcastChannel: globalThis.BroadcastChannel };
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  globalThis.BroadcastChannel = Channel;
  return () => {
    if (before.navigator) Object.defineProperty(globalThis, "navigator", before.navigator);
    else delete globalThis.navigator;
    globalThis.BroadcastChannel = before.BroadcastChannel;
  };
}
