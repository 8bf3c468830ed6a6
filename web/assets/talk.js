// What one person sees, from signing in to signing out: which conversation is open, and what happens when.
import { Chats } from "./chats.js";
import { ConnectionView } from "./connection-view.js";
import { DevicesView } from "./devices-view.js";
import { failureOf, h } from "./dom.js";
import { ListView } from "./list-view.js";
import { Presence } from "./presence.js";
import { ReadMarks } from "./read-marks.js";
import { ThreadView } from "./thread-view.js";
import { connect } from "./yanlink.js";

const kept = 500; // messages of a conversation that stay on the page while nobody reads further up
const typingEvery = 3_000;

/** One connection each: whoever opens the page on a phone does not leave the desk by it. */
const kindOfDevice = () => (matchMedia("(pointer: coarse)").matches ? "mobile" : "web");

/** Runs the page until the person signs out or their token ends; resolves to what to tell at the form. */
export function talk(root, base, session) {
  return new Promise((resolve) => new Talk(root, base, session, resolve));
}

class Talk {
  #session;
  #link;
  #chats;
  #presence;
  #open = null;
  #list;
  #thread;
  #connection;
  #devices;
  #frame;
  #done;
  #wait; // for the next drawing
  #typed = 0; // when we last said that we are typing
  #stops = new AbortController();

  constructor(root, base, session, done) {
    this.#session = session;
    this.#done = done;
    this.#link = connect({ base, me: session.openid, device: kindOfDevice(), token: (how) => session.token(how) });
    this.#chats = new Chats(this.#link, session.openid, new ReadMarks(`yanlink:read:${base.pathname}:${session.openid}`));
    this.#presence = new Presence(this.#link, this.#chats, session.openid, (nodes) => {
      if (nodes) this.#list.where(this.#link.device, nodes);
      this.#draw();
    });
    this.#build();
    root.replaceChildren(this.#frame);
    this.#listen();
    this.#begin();
  }

  #build() {
    this.#connection = new ConnectionView({ retry: () => this.#link.retryNow(), start: () => this.#link.start() });
    this.#devices = new DevicesView(this.#link, this.#session.openid);
    this.#list = new ListView(this.#session, {
      open: (chat) => this.#show(chat), start: (openid) => this.#show(this.#chats.withPerson(openid)),
      devices: () => this.#devices.open(), logOut: () => this.#leave("", true),
    });
    this.#list.where(this.#link.device);
    this.#thread = new ThreadView({
      send: (chat, text) => this.#send(chat, text), typing: (chat) => this.#typing(chat), recall: (message) => this.#recall(message),
      again: (chat, message) => this.#again(chat, message), older: (chat) => this.#older(chat), back: () => this.#show(null),
    });
    this.#frame = h("main", { class: "frame" }, h("h1", { class: "hidden", text: "Yanlink" }),
      this.#connection.element, this.#list.element, this.#thread.element, this.#devices.element);
  }

  #listen() {
    const { signal } = this.#stops;
    const link = this.#link;
    link.on("connection", (connection) => this.#connected(connection));
    for (const kind of ["message", "recalled", "event"]) link.on(kind, (record) => this.#arrived(record));
    const told = { outgoing: "outgoing", delivered: "delivered", gone: "gone", read: "readBy" };
    for (const [event, method] of Object.entries(told)) {
      link.on(event, (detail) => { this.#chats[method](detail); this.#draw(); });
    }
    link.on("typing", (signal) => this.#theyType(signal));
    link.on("reset", ({ why }) => this.#reset(why));
    link.on("error", (error) => console.warn("yanlink:", error.code ?? error.name, error.message));
    addEventListener("hashchange", () => this.#follow(), { signal });
    document.addEventListener("visibilitychange", () => this.#looked(this.#open), { signal });
  }

  /** Shows what this tab showed before. */
  #begin() {
    const peer = new URLSearchParams(location.search).get("with");
    if (peer && !location.hash) history.replaceState(null, "", `#${encodeURIComponent(peer)}`);
    this.#connection.show(this.#link.connection);
    this.#follow();
    this.#draw();
  }

  #connected(connection) {
    this.#connection.show(connection);
    if (connection.state === "online") this.#refresh();
    if (connection.state === "waiting" || connection.state === "ended") this.#presence.lost();
    if (connection.why === "signed_out") this.#leave("Your login has ended. Please log in again.");
    if (connection.reason === "signed out") this.#leave("You were signed out here, from another device or by an administrator.");
  }

  /** After each connection: names, counts, and the history of what is open, in case more changed than was told. */
  async #refresh() {
    try {
      await this.#chats.refresh();
      if (this.#open && this.#open.loaded !== "yes") await this.#load(this.#open);
      this.#looked(this.#open);
      this.#presence.watch();
      await this.#presence.ask();
    } catch (error) {
      console.warn("yanlink:", error.message);
    }
    this.#draw();
  }

  /** When this returns the record stands on the page, in its conversation or as a count beside it. */
  #arrived(record) {
    if (!record.conversationId) {
      this.#chats.tookBack(record.recalled);
      return this.#drawNow();
    }
    const chat = this.#chats.arrived(record, (chat) => this.#looking(chat));
    if (chat && (chat !== this.#open || this.#thread.atEnd) && chat.timeline.trim(kept)) chat.more = true;
    this.#drawNow();
    if (!chat) this.#refresh();
    else if (!record.mine && chat.presence?.status !== "online") this.#presence.watch();
  }

  #theyType(signal) {
    const chat = this.#chats.typing(signal);
    if (!chat) return;
    this.#draw();
    setTimeout(() => this.#draw(), chat.typingUntil - Date.now() + 1);
  }

  #reset(why) {
    this.#chats.reset({ epoch: why === "epoch" });
    for (const entry of this.#link.unsent) if (entry.to) this.#chats.outgoing(entry);
    if (this.#open) this.#thread.open(this.#open);
    this.#refresh();
  }

  async #send(chat, text) {
    this.#typed = 0;
    this.#thread.problem("");
    try {
      await this.#link.send(chat.peer.openid, text);
    } catch (error) {
      // What was refused says so where it stands.
      if (error.code === "queue_full") this.#thread.problem("Too many messages wait to be sent. Please wait until the connection is back.");
    }
  }

  #again(chat, message) {
    chat.timeline.remove(message);
    this.#send(chat, message.message);
  }

  #typing(chat) {
    if (chat.kind !== "direct" || Date.now() - this.#typed < typingEvery) return;
    this.#typed = Date.now();
    this.#link.typing(chat.peer.openid);
  }

  async #recall(message) {
    try {
      await this.#link.recall(message.messageId);
      this.#thread.problem("");
    } catch (error) {
      if (error.code !== "closed") this.#thread.problem(`It could not be taken back: ${failureOf(error)}`);
    }
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
    if (chat && chat.loaded === "no" && this.#link.connection.state === "online") this.#load(chat).then(() => this.#presence.watch());
    this.#draw();
  }

  async #load(chat) {
    if (chat.loaded === "busy") return;
    chat.loaded = "busy";
    try {
      this.#track(await this.#chats.history(chat));
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
      this.#track(await this.#chats.history(chat, { older: true }));
      this.#thread.showOlder();
    } catch (error) {
      this.#thread.problem(failureOf(error));
    }
  }

  /** History does not say what was delivered; the ledger knows. */
  #track(messages) {
    const open = messages.filter(({ mine, kind, state }) => mine && kind === "message" && (state === "stored" || state === "read"));
    this.#link.track(open.map(({ messageId }) => messageId));
  }

  #looking(chat) {
    return chat === this.#open && document.visibilityState === "visible";
  }

  #looked(chat) {
    if (!chat || !this.#looking(chat)) return;
    this.#chats.looked(chat);
    this.#draw();
  }

  /** Draws soon; many changes of one moment are one drawing. */
  #draw() {
    this.#wait ??= setTimeout(() => this.#drawNow());
  }

  #drawNow() {
    clearTimeout(this.#wait);
    if (this.#stops.signal.aborted) return;
    this.#wait = undefined;
    this.#list.show(this.#chats.all, this.#open);
    this.#thread.show();
    const unread = this.#chats.unread;
    document.title = unread > 0 ? `(${unread}) ${this.#session.name} · Yanlink` : `${this.#session.name} · Yanlink`;
  }

  #leave(notice, forget = false) {
    this.#stops.abort();
    this.#presence.stop();
    this.#connection.stop();
    clearTimeout(this.#wait);
    this.#link.close({ forget });
    this.#session.end();
    if (forget) history.replaceState(null, "", location.pathname);
    document.title = "Yanlink";
    this.#done(notice);
  }
}
