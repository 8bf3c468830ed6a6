// The page: who is logged in, which conversation is open, and what happens when.
import { Api } from "./api.js";
import { Chats, ReadMarks } from "./chats.js";
import { claimDevice } from "./device.js";
import { failureOf, h } from "./dom.js";
import { ListView } from "./list-view.js";
import { logIn } from "./login-view.js";
import { Session } from "./session.js";
import { ThreadView } from "./thread-view.js";
import { OutboxFull, connect } from "./yanlink.js";

const base = new URL(".", document.baseURI);
const root = document.getElementById("app");
const presenceEvery = 15_000;
const presenceSoon = 1_500; // after something that says that presence changed
const presencePeers = 50;
const kept = 500; // messages of a conversation that stay on the page while nobody reads further up

/** Who uses this tab: the one the address names, the one it had before, or whoever fills in the form. */
async function person(notice) {
  const query = new URLSearchParams(location.search);
  const openid = query.get("as")?.trim() ?? "";
  const name = query.get("name")?.trim() || openid;
  const admin = query.has("admin");
  const saved = Session.saved(base);
  if (saved && (!openid || saved.openid === openid)) return saved;
  if (!openid || notice) return byForm({ notice, openid, name, admin });
  try {
    return await Session.asAnyone(base, openid, name, admin ? ["admin"] : []);
  } catch (error) {
    return byForm({ notice: error.status === 404 ? "" : failureOf(error), openid, name, token: error.status === 404 });
  }
}

async function byForm(how) {
  const session = await logIn(root, base, how);
  history.replaceState(null, "", location.pathname + location.hash); // the form says who it is, not the address any more
  return session;
}

/** Runs the page for one person until they log out or their token ends; resolves to what to tell at the form. */
async function talk(session) {
  const me = session.openid;
  const device = await claimDevice(`${base.pathname}:${me}`);
  return new Promise((resolve) => new Page(session, device, resolve));
}

/** Page is what one person sees, from login to logout. */
class Page {
  #session;
  #client;
  #api;
  #chats;
  #open = null;
  #list;
  #thread;
  #done;
  #frame;
  #wait; // for the next drawing
  #soon; // for the next question after presence
  #stops = new AbortController();

  constructor(session, device, done) {
    this.#session = session;
    this.#done = done;
    const me = session.openid;
    this.#api = new Api(base, () => session.token());
    this.#chats = new Chats(this.#api, me, new ReadMarks(`yanlink:read:${base.pathname}:${me}`));
    this.#list = new ListView(session, device, {
      open: (chat) => this.#show(chat), start: (openid) => this.#show(this.#chats.withPerson(openid)),
      logOut: () => this.#leave("", true), retry: () => this.#client.retryNow(), takeOver: () => this.#client.start(),
    });
    this.#thread = new ThreadView({
      send: (chat, text) => this.#send(chat, text), older: (chat) => this.#older(chat), again: (chat, message) => this.#again(chat, message),
      back: () => this.#show(null),
    });
    this.#frame = h("div", { class: "frame" }, this.#list.element, this.#thread.element);
    root.replaceChildren(this.#frame);
    this.#client = connect({
      base, me, device, token: (how) => session.token(how),
      // A tab that goes away for good takes its passing name along; what "web" could not send waits for the next tab.
      storage: device.startsWith("~") ? sessionStorage : localStorage,
    });
    this.#listen();
    this.#list.connection(this.#client.connection);
    this.#begin();
  }

  #listen() {
    const { signal } = this.#stops;
    const client = this.#client;
    client.on("connection", (connection) => this.#connection(connection));
    for (const kind of ["message", "recalled", "event"]) client.on(kind, (record) => this.#arrived(record));
    client.on("state", (entry) => this.#became(entry));
    client.on("delivered", (proof) => this.#proved(proof));
    client.on("reset", ({ why }) => this.#reset(why));
    client.on("error", (error) => console.warn("yanlink:", error.code ?? error.name, error.message));
    addEventListener("hashchange", () => this.#follow(), { signal });
    document.addEventListener("visibilitychange", () => this.#looked(this.#open), { signal });
    const beat = setInterval(() => this.#presence(), presenceEvery);
    signal.addEventListener("abort", () => clearInterval(beat));
  }

  /** Shows what this tab showed before: what is in the outbox, and the conversation that was open. */
  #begin() {
    for (const entry of this.#client.unsent()) this.#chats.withPerson(entry.to).timeline.putEntry(entry);
    const peer = new URLSearchParams(location.search).get("with");
    if (peer && !location.hash) history.replaceState(null, "", `#${encodeURIComponent(peer)}`);
    this.#follow();
    this.#draw();
  }

  #connection(connection) {
    this.#list.connection(connection);
    if (connection.state === "online") this.#refresh();
    if (connection.why === "signed_out") this.#leave("Your login has ended. Please log in again.");
  }

  /** After each connection: names, counts, and the history of what is open, in case more changed than was told. */
  async #refresh() {
    try {
      await this.#chats.refresh();
      if (this.#open && this.#open.loaded !== "yes") await this.#load(this.#open);
      this.#looked(this.#open);
      await this.#presence();
      this.#presenceSoon(); // after a restart the others come back when we do
    } catch (error) {
      console.warn("yanlink:", error.message);
    }
    this.#draw();
  }

  #arrived(record) {
    const chat = this.#chats.arrived(record, (chat) => this.#looking(chat));
    if (chat && (chat !== this.#open || this.#thread.atEnd) && chat.timeline.trim(kept)) chat.more = true;
    this.#drawNow();
    // Now it stands on the page, in the conversation or as a count beside it: only now is it ours to acknowledge.
    this.#client.shown(record);
    if (!chat) this.#refresh();
    else if (!record.mine && chat.presence?.status !== "online") this.#presenceSoon();
  }

  #became(entry) {
    const chat = this.#chats.withPerson(entry.to);
    this.#chats.bind(chat, entry.conversationId);
    if (chat.timeline.putEntry(entry) && entry.state !== "refused" && !(chat.last?.at > entry.at) && entry.text) {
      chat.last = { text: entry.text, at: entry.at, mine: true };
    }
    this.#draw();
  }

  #proved(proof) {
    for (const chat of this.#chats.all) if (chat.timeline.delivered(proof)) return this.#draw();
  }

  #reset(why) {
    this.#chats.reset({ unread: why === "epoch" });
    for (const entry of this.#client.unsent()) this.#chats.withPerson(entry.to).timeline.putEntry(entry);
    if (this.#open) this.#thread.open(this.#open);
    this.#refresh();
  }

  #send(chat, text) {
    try {
      const entry = this.#client.send(chat.peer.openid, text);
      chat.timeline.putEntry(entry);
      chat.last = { text, at: entry.at, mine: true };
      this.#thread.problem("");
      this.#drawNow();
      return true;
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error;
      this.#thread.problem("Too many messages wait to be sent. Please wait until the connection is back.");
      return false;
    }
  }

  #again(chat, message) {
    chat.timeline.remove(message);
    this.#send(chat, message.text);
  }

  /** Opens a conversation, or none; the address remembers it for reloads and for the way back. */
  #show(chat) {
    const hash = chat ? `#${encodeURIComponent(chat.peer.openid)}` : "";
    if (location.hash !== hash) history.pushState(null, "", hash || location.pathname + location.search);
    this.#turnTo(chat);
    if (chat) this.#thread.focus();
    else this.#list.focus();
  }

  #follow() {
    let openid = location.hash.slice(1);
    try {
      openid = decodeURIComponent(openid);
    } catch {
      openid = ""; // somebody wrote the address by hand
    }
    this.#turnTo(openid ? this.#chats.withPerson(openid) : null);
  }

  #turnTo(chat) {
    if (chat === this.#open) return;
    this.#open = chat;
    if (chat) chat.opened ??= Date.now();
    this.#frame.classList.toggle("reading", Boolean(chat));
    this.#thread.open(chat);
    this.#looked(chat);
    if (chat && chat.loaded === "no" && this.#client.connection.state === "online") this.#load(chat).then(() => this.#presence());
    this.#draw();
  }

  async #load(chat) {
    if (chat.loaded === "busy") return;
    chat.loaded = "busy";
    try {
      this.#ask(chat, await this.#chats.history(chat));
      chat.loaded = "yes";
      this.#thread.problem("");
    } catch (error) {
      chat.loaded = "no";
      if (chat === this.#open) this.#thread.problem(`The history could not be read. ${failureOf(error)}`);
    }
    this.#looked(chat);
    this.#drawNow();
    if (chat === this.#open) this.#thread.toEnd();
  }

  async #older(chat) {
    try {
      this.#ask(chat, await this.#chats.history(chat, { older: true }));
      this.#thread.showOlder();
    } catch (error) {
      this.#thread.problem(failureOf(error));
    }
  }

  /** History does not say what was delivered; the ledger knows, and answers as it answers after a reconnect. */
  #ask(chat, messages) {
    const open = messages.filter((message) => message.mine && message.kind === "message" && message.state === "stored");
    this.#client.askDelivered(open.map(({ messageId, msgid, seq, at }) => ({ messageId, msgid, seq, at, conversationId: chat.id, to: chat.peer.openid })));
  }

  #looking(chat) {
    return chat === this.#open && document.visibilityState === "visible";
  }

  #looked(chat) {
    if (!chat || !this.#looking(chat)) return;
    this.#chats.looked(chat);
    this.#draw();
  }

  #presenceSoon() {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#presence(), presenceSoon);
  }

  async #presence() {
    if (document.visibilityState !== "visible" || this.#client.connection.state !== "online") return;
    const chats = this.#chats.all.filter((chat) => chat.kind === "direct");
    const asked = [...new Set([this.#open, ...chats])].filter((chat) => chat?.kind === "direct" && !chat.peer.openid.includes(",")).slice(0, presencePeers);
    const me = this.#session.openid;
    const users = new Set([me, ...asked.map((chat) => chat.peer.openid)]);
    const { items = [] } = await this.#api.get("api/v1/presence", { users: [...users].join(",") }).catch(() => ({}));
    for (const item of items) {
      if (item.openid === me) this.#list.nodes(item.nodes);
      for (const chat of asked) if (chat.peer.openid === item.openid) chat.presence = item;
    }
    this.#draw();
  }

  /** Draws soon; many changes of one moment are one drawing. */
  #draw() {
    this.#wait ??= setTimeout(() => this.#drawNow());
  }

  #drawNow() {
    clearTimeout(this.#wait);
    this.#wait = undefined;
    this.#list.show(this.#chats.all, this.#open);
    this.#thread.show();
    const unread = this.#chats.unread;
    document.title = unread > 0 ? `(${unread}) ${this.#session.name} · Yanlink` : `${this.#session.name} · Yanlink`;
  }

  #leave(notice, forget = false) {
    this.#stops.abort();
    clearTimeout(this.#wait);
    clearTimeout(this.#soon);
    this.#client.stop({ forget });
    this.#session.end();
    if (forget) history.replaceState(null, "", location.pathname);
    document.title = "Yanlink";
    this.#done(notice);
  }
}

let notice = "";
for (;;) notice = await talk(await person(notice));
