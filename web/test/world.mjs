// A client without a browser: sockets that the test plays, a clock that it turns, a storage, answers to fetch.
import { Client } from "../assets/yanlink.js";

class FakeSocket {
  constructor(world, url, protocols) {
    Object.assign(this, { world, url, protocols, sent: [], closed: false });
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
  message(seq, text = `text ${seq}`, { prevSeq = seq - 1, from = "will", conversationId = "a1" } = {}) {
    this.say({
      activeTime: 5000 + seq, messageId: `id-${seq}`, msgType: 1, to: ["rose"],
      msg: { type: 2, status: 200, params: {
        toUser: { openid: "rose", userName: "Rose" }, fromUser: { openid: from, userName: "Will" },
        message: text, fileType: "0", conversationId, seq, prevSeq, msgid: `m-${seq}`,
      } },
    });
  }

  /** The server, or the network, ends the connection. */
  end(code = 1006, reason = "") {
    this.onclose({ code, reason });
  }

  of(type) {
    return this.sent.filter((frame) => frame.type === type);
  }
}

/** A Storage. */
export class FakeStorage extends Map {
  getItem(key) {
    return this.get(key) ?? null;
  }

  setItem(key, value) {
    this.set(key, value);
  }

  removeItem(key) {
    this.delete(key);
  }
}

/** World is all that a client touches. */
export class World {
  sockets = [];
  time = 1_000_000;
  timers = [];
  storage = new FakeStorage();
  requests = [];
  answers = {}; // path below the base -> {status, body}
  tokens = [];
  nudge = () => {};

  client(options = {}) {
    const world = this;
    const client = new Client({
      base: "http://host.test/im/", me: "rose", storage: this.storage,
      token: async (how) => { this.tokens.push(how); return `token-${this.tokens.length}`; }, ...options,
    }, {
      WebSocket: function (url, protocols) { return new FakeSocket(world, url, protocols); },
      fetch: (url, init) => this.#fetch(url, init),
      setTimeout: (run, ms) => { const timer = { run, at: this.time + ms }; this.timers.push(timer); return timer; },
      clearTimeout: (timer) => { this.timers = this.timers.filter((other) => other !== timer); },
      now: () => this.time,
      random: () => 0.5,
      watch: (nudge) => { this.nudge = nudge; return [() => { this.nudge = () => {}; }]; },
    });
    this.log = [];
    for (const name of ["connection", "message", "recalled", "event", "state", "delivered", "reset", "error"]) {
      client.on(name, (detail) => this.log.push([name, name === "state" ? detail.state : detail]));
    }
    client.start();
    return client;
  }

  /** The newest socket, once it is there. */
  async socket() {
    await this.settle();
    return this.sockets.at(-1);
  }

  /** Lets promises finish. */
  async settle() {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  /** Turns the clock, running each timer at its time. */
  async pass(ms) {
    const until = this.time + ms;
    for (;;) {
      await this.settle();
      const next = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = until;
  }

  of(name) {
    return this.log.filter(([event]) => event === name).map(([, detail]) => detail);
  }

  async #fetch(url, init) {
    const path = `${url.pathname}${url.search}`.replace("/im/", "");
    this.requests.push({ path, token: init.headers.Authorization });
    const { status = 200, body = {}, retryAfter } = this.answers[path] ?? { status: 404 };
    if (status === 0) throw new TypeError("unreachable");
    return { ok: status < 400, status, json: async () => body, headers: new Map([["Retry-After", retryAfter]]) };
  }
}
