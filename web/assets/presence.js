// Who of the people on the page is online: told as it changes, asked for what is not told.

const every = 60_000; // what was last seen when, and on which node
const soonAfter = 1_000; // several reasons of one moment are one question
const most = 50;

/** Whether somebody can have an openid that was typed, or stands in the address: one that cannot be would have all refused. */
const mayBe = (openid) => /^[^,\p{Cc}]+$/u.test(openid) && new TextEncoder().encode(openid).length <= 128;

/** Presence keeps `chat.presence` of direct conversations. */
export class Presence {
  #link;
  #chats;
  #me;
  #changed;
  #states = new Map(); // openid -> what was told of them
  #soon;
  #beat;

  /**
   * @param {import("./yanlink.js").Link} link
   * @param {import("./chats.js").Chats} chats
   * @param {string} me
   * @param {(nodes?: string[]) => void} changed is given the nodes we are on ourselves, if they are told
   */
  constructor(link, chats, me, changed) {
    this.#link = link;
    this.#chats = chats;
    this.#me = me;
    this.#changed = changed;
    link.on("presence", (state) => this.#told(state));
    this.#beat = setInterval(() => this.ask(), every);
  }

  /** Watches whoever stands on the page now, and asks soon. */
  watch() {
    this.#link.watch(this.#people().map((chat) => chat.peer.openid));
    this.soon();
  }

  /** Asks soon. */
  soon() {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.ask(), soonAfter);
  }

  /** Asks now, if somebody is looking. */
  async ask() {
    if (document.visibilityState !== "visible" || this.#link.connection.state !== "online") return;
    const people = this.#people();
    const users = new Set([this.#me, ...people.map((chat) => chat.peer.openid)]);
    const { items } = await this.#link.rest("GET", "presence", { query: { users: [...users].join(",") } }).catch(() => ({ items: [] }));
    for (const item of items) for (const chat of people) if (chat.peer.openid === item.openid) chat.presence = { ...item, ...this.#states.get(item.openid) };
    this.#changed(items.find(({ openid }) => openid === this.#me)?.nodes);
  }

  /** Without a connection nobody tells us any more. */
  lost() {
    this.#states.clear();
    for (const chat of this.#chats.all) if (chat.presence) chat.presence = { status: "unknown" };
    this.#changed();
  }

  stop() {
    clearInterval(this.#beat);
    clearTimeout(this.#soon);
  }

  /**
   * A change says who and where, not since when and on which node. It goes before what is asked: that is how it stands at the
   * moment, without a device that is about to come back, and whose return is not told.
   */
  #told({ openid, status, devices }) {
    this.#states.set(openid, { status, devices });
    for (const chat of this.#people()) if (chat.peer.openid === openid) chat.presence = { ...chat.presence, status, devices };
    this.#changed();
    this.soon();
  }

  #people() {
    return this.#chats.all.filter(({ kind, peer }) => kind === "direct" && mayBe(peer.openid)).slice(0, most);
  }
}
