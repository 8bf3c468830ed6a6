// One lasting connection made of many short ones: connects, keeps alive, and comes back as the close codes say.
import { Type, ping, read, subprotocols } from "./frames.js";
import { afterClose, afterRefusal } from "./reconnect.js";

const connectTimeout = 10_000; // from the first packet to hello
const probeTimeout = 10_000; // from our heartbeat to any frame
const stable = 5_000; // a connection that lived this long is no failure

/**
 * @typedef {object} Connection
 * @property {"connecting"|"online"|"waiting"|"ended"} state
 * @property {number} [retryAt] epoch ms, while waiting
 * @property {number} [code] close code of the last connection
 * @property {"signed_out"|"forbidden"|"replaced"|"closed"|"bug"} [why] when ended
 */

/** Ends are final until `start` is called again; these say why, by close code. */
const ends = new Map([[4409, "replaced"], [4403, "forbidden"], [1000, "closed"], [1001, "closed"]]);

/**
 * Link owns at most one socket and at most one timer of each kind; whatever an older socket still says is ignored.
 */
export class Link {
  #options;
  #env;
  #socket = null;
  #round = 0; // raised with every attempt, so that late answers of an earlier one are told apart
  #failures = 0;
  #fresh = false; // the token was renewed since the last hello
  #renew = false; // ask for a new token first
  #since = 0; // of hello
  #idle = 30_000;
  #retryTimer;
  #deadline;
  #idleTimer;
  #state = { state: "ended", why: "closed" };

  /**
   * @param {object} options
   * @param {string} options.url ws: or wss:
   * @param {(how: {renew: boolean}) => Promise<string>} options.token rejects with an error whose `final` is true
   *   when nobody is logged in any more
   * @param {(token: string) => Promise<{status: number, retryAfter?: number}>} options.why asks who we are
   * @param {(frame: object) => void} options.onFrame gets every frame but heartbeats, hello among them
   * @param {(connection: Connection) => void} options.onState
   * @param {(error: Error) => void} options.onError
   * @param {object} env WebSocket, setTimeout, clearTimeout, now, random
   */
  constructor(options, env) {
    this.#options = options;
    this.#env = env;
  }

  /** How the connection stands. */
  get state() {
    return this.#state;
  }

  /** Connects, and stays connected until `stop` or an end that only a person can decide otherwise. */
  start() {
    if (this.#state.state !== "ended") return;
    this.#failures = 0;
    this.#fresh = false;
    this.#attempt();
  }

  /** Ends it; nothing is heard of it after this. */
  stop() {
    this.#drop(1000);
    this.#set({ state: "ended", why: "closed" });
  }

  /** Writes a frame; false if there is no connection. */
  send(frame) {
    if (this.#state.state !== "online") return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** The network may be back, or somebody looks at the page again: do not wait any longer, do not trust blindly. */
  nudge() {
    if (this.#state.state === "waiting") this.#attempt();
    else if (this.#state.state === "online") this.#probe();
  }

  async #attempt() {
    this.#drop();
    const round = ++this.#round;
    this.#set({ state: "connecting" });
    let token;
    try {
      token = await this.#options.token({ renew: this.#renew });
    } catch (error) {
      if (round !== this.#round) return;
      if (error.final) return this.#end("signed_out");
      return this.#obey(afterRefusal(0, 0, false, ++this.#failures, this.#env.random));
    }
    if (round !== this.#round) return;
    if (this.#renew) this.#fresh = true;
    this.#renew = false;
    this.#open(token);
  }

  #open(token) {
    const socket = new this.#env.WebSocket(this.#options.url, subprotocols(token));
    this.#socket = socket;
    let opened = false;
    const ours = () => this.#socket === socket;
    socket.onopen = () => { opened = true; };
    socket.onmessage = ({ data }) => ours() && this.#heard(data);
    socket.onclose = ({ code, reason }) => {
      if (!ours()) return;
      this.#drop();
      if (opened) this.#closed(code, reason);
      else this.#turnedAway(token);
    };
    this.#deadline = this.#env.setTimeout(() => this.#broken(), connectTimeout);
  }

  #heard(data) {
    this.#env.clearTimeout(this.#deadline);
    this.#rest();
    let frame;
    try {
      frame = read(data);
    } catch (error) {
      return this.#options.onError(error);
    }
    if (frame.type === Type.hello) {
      this.#since = this.#env.now();
      this.#fresh = false;
      this.#idle = (frame.params.heartbeatSeconds || 30) * 1000;
      this.#set({ state: "online" });
    }
    if (frame.type !== "pong") this.#options.onFrame(frame);
  }

  /** Starts the wait for a silence that makes us ask whether anybody is there. */
  #rest() {
    this.#env.clearTimeout(this.#idleTimer);
    this.#idleTimer = this.#env.setTimeout(() => this.#probe(), this.#idle);
  }

  #probe() {
    if (!this.send(ping)) return;
    this.#env.clearTimeout(this.#deadline);
    this.#deadline = this.#env.setTimeout(() => this.#broken(), probeTimeout);
  }

  /** Nobody answers. A close handshake would wait for the same nobody. */
  #broken() {
    this.#drop();
    this.#closed(1006, "");
  }

  #closed(code, reason) {
    const lived = this.#state.state === "online" && this.#env.now() - this.#since >= stable;
    if (lived) this.#failures = 0;
    const verdict = afterClose(code, reason, this.#failures, this.#env.random);
    this.#failures++;
    this.#obey(verdict, ends.get(code), code);
  }

  async #turnedAway(token) {
    const round = this.#round;
    const { status, retryAfter } = await this.#options.why(token).catch(() => ({ status: 0 }));
    if (round !== this.#round) return;
    const verdict = afterRefusal(status, retryAfter, this.#fresh, this.#failures++, this.#env.random);
    this.#obey(verdict, status === 403 ? "forbidden" : "signed_out");
  }

  #obey({ then, delay }, why = "closed", code = undefined) {
    if (then === "stay") return this.#end(why, code);
    if (then === "bug") return this.#end("bug", code);
    if (then === "token") this.#renew = true;
    this.#set({ state: "waiting", retryAt: this.#env.now() + delay, code });
    this.#retryTimer = this.#env.setTimeout(() => this.#attempt(), delay);
  }

  #end(why, code) {
    this.#drop();
    this.#set({ state: "ended", why, code });
  }

  #drop(code) {
    for (const timer of [this.#retryTimer, this.#deadline, this.#idleTimer]) this.#env.clearTimeout(timer);
    this.#round++;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  #set(state) {
    this.#state = state;
    this.#options.onState(state);
  }
}
