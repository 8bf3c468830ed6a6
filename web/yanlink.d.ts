// Yanlink for browsers and Node.js: what each call promises.
//
//     import { connect } from "./yanlink.js";
//     const link = connect({ base: "/im/", me: "rose", token: async ({ renew }) => fetchToken(renew) });
//     link.on("message", async (message) => { await show(message); });   // acknowledged when this has returned
//     const { seq } = await link.send("will", "hello");                  // resolves when the server has stored it

/** Connects and stays connected, until `close` or an end that only a person can decide otherwise (see Connection). */
export function connect(options: Options): Link;

export interface Options {
  /** openid that the token stands for. Queue and place are kept under it; a token of somebody else connects nothing. */
  me: string;
  /**
   * The token, or the token and the seconds it has left, in which case it is renewed in time on the open connection.
   * `renew` asks for another one than last time. Reject with an error whose `final` is true when nobody is signed in any
   * more; after any other rejection, or when it has taken a minute, it is asked again. An empty token says that a cookie
   * carries it (`sso.cookie`), which then is as fresh as the page's own calls keep it.
   */
  token(how: { renew: boolean }): Promise<string | { token: string; expiresIn?: number }>;
  /** Where the bundle is mounted, ending in a slash; default: beside the page. Required outside of browsers. */
  base?: string | URL;
  /** Kind of client; one live connection each. Default "web". A name that begins with ~ is forgotten soon after it leaves. */
  device?: string;
  /**
   * Whether tabs of the same `base`, `me` and `device` share one connection; default: in browsers. Where Web Locks are
   * missing (pages over plain HTTP) each tab is a device of its own instead, with a name that begins with ~, and keeps no
   * place: a reload in the very moment of an acknowledgement may hand out again what was handed out before it.
   */
  share?: boolean;
  /** Keeps queue and place; default IndexedDB, and nothing where that is missing. */
  storage?: Storage;
  /** Default the global one. Node.js has one from version 22 on, in 20 with --experimental-websocket. */
  WebSocket?: unknown;
  /** Default the global one. */
  fetch?: typeof globalThis.fetch;
}

/** A store of values by their `key`. One that rejects costs the memory, not the message; each rejection is an `error` event. */
export interface Storage {
  /** Every value, sorted by key. */
  all(): Promise<{ key: string }[]>;
  put(value: { key: string }): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  clear(): Promise<unknown>;
}

/** The openid of a person, or a group. */
export type Recipient = string | { groupId: string };

export class Link {
  constructor(options: Options);

  /** How the connection stands; of all tabs that share it. */
  readonly connection: Connection;
  /** The name this device has on the server. */
  readonly device: string;
  /** Messages that the server has not stored yet, those of an earlier page first. */
  readonly unsent: Outgoing[];

  /**
   * Listens; returns what stops listening. Records (`message`, `recalled`, `event`) come once and in order for each
   * conversation. Each is acknowledged when its listeners have returned, promises included; a listener that fails is
   * given the same record again after a growing pause, and what follows in that conversation waits. Nothing is
   * acknowledged before there is a listener for `message`.
   */
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => unknown): () => void;

  /**
   * Sends a message, now or as soon as there is a connection; over reloads too, and once, whatever happens between.
   * Messages to one recipient arrive in the order of the calls. Resolves when the message is stored; rejects with a
   * YanlinkError when it is refused for good, with code `queue_full` while 200 wait already, and with `closed` when the
   * link is closed first, which does not take the message back: the next page sends it.
   * A `msgid` of your own has to be unique among messages that are not settled.
   */
  send(to: Recipient, message: string, options?: { msgid?: string; fileType?: number }): Promise<Outgoing>;

  /** Marks a conversation as read up to a position. Waits for a connection; rejects with YanlinkError. */
  read(conversationId: string, seq: number): Promise<unknown>;
  /** Takes a message back. Waits for a connection; rejects with YanlinkError. */
  recall(messageId: string): Promise<unknown>;
  /** Tells somebody that we are typing, or any other passing signal. Lost without a connection. */
  typing(to: Recipient, signal?: string): void;
  /** Wants to know about the presence of these people too; at most the 200 named last. The answers are `presence` events. */
  watch(users: Iterable<string>): void;
  /** Asks whether messages have been delivered, for instance those of an earlier page; the answers are `delivered` and `gone` events. */
  track(messageIds: string[]): void;
  /**
   * Asks for another token and goes on under it, without a new connection. Resolves when the server has taken it. It is
   * shown on one connection only: when that one breaks, or is closed with 4401 since the server does not take the token,
   * the next one begins with what `token` gives then, and the renewal resolves when that connection is there. Rejects as
   * `token` does; with a YanlinkError when the server cannot check the token now, and goes on under the one before; with
   * code `closed` when the connection has ended (see Connection) or the link is closed. A token in a cookie is not shown.
   */
  renew(): Promise<void>;

  /** A page of history: newest first with `before`, oldest first with `after`; shorter than `limit` where messages are long, and the last only where `next` is empty. Rejects with YanlinkError. */
  history(conversationId: string, query?: { before?: number; after?: number; limit?: number; cursor?: string }): Promise<{ items: Item[]; next: string }>;
  /** Any call below api/v1, with the token. Resolves to the answer's JSON; rejects with YanlinkError. */
  rest(method: string, path: string, options?: { query?: Record<string, string | number | undefined>; body?: unknown }): Promise<any>;

  /** Connects again after an end; does nothing otherwise. */
  start(): void;
  /** Does not wait any longer to connect again. */
  retryNow(): void;
  /** Ends this link for good, and with it this tab's part in the connection. `forget` also drops queue and place: for signing out. */
  close(options?: { forget?: boolean }): Promise<void>;
}

export interface Events {
  connection: Connection;
  message: ChatRecord;
  /** Somebody took a message back. Without a position when a tab of this device did. */
  recalled: ChatRecord | { kind: "recalled"; recalled: string; mine: true; conversationId?: never };
  event: ChatRecord;
  /** A message of ours began to wait, was delayed, stored or refused; of this tab, an earlier page, or another tab. May repeat. */
  outgoing: Outgoing;
  /** A device has acknowledged a message of ours; `delivered` and `of` count instead in a large group. Told once, and again after `track`, or when 200 other messages were told of since the message first was. */
  delivered: { messageId: string; msgid?: string; to?: string; device?: string; at: number; groupId?: string; delivered?: number; of?: number };
  /** Somebody has read a conversation up to a position; we ourselves too, in another tab or on another device. */
  read: { conversationId: string; seq: number; user: string; at?: number };
  presence: { openid: string; status: "online" | "offline" | "unknown"; devices?: string[]; at?: number };
  typing: { from: Person; groupId?: string; signal: string };
  /** These will never be delivered: recalled, expired or purged. */
  gone: { messageIds: string[] };
  /**
   * What is shown may be incomplete, or void: read it again. epoch: the server was restored from an older copy, or began anew; device: it
   * has forgotten this device; gap: something was taken back that we cannot name.
   */
  reset: { why: "epoch" | "device" | "gap" };
  /** What went wrong and can be helped without anybody: for a log. */
  error: Error;
}

/**
 * waiting: connects again at `retryAt`. Ended, because: closed; forbidden (or banned); replaced by a newer connection of
 * this device; signed_out; identity_mismatch: the token is not `me`'s; bug: we broke the protocol. `start` tries again.
 */
export interface Connection {
  state: "connecting" | "online" | "waiting" | "ended";
  /** Epoch ms. */
  retryAt?: number;
  why?: "closed" | "forbidden" | "replaced" | "signed_out" | "identity_mismatch" | "bug";
  /** Close code of the last connection. */
  code?: number;
  /** With an end by a close code: the server's reason, for instance "signed out" or "banned" with `forbidden`. */
  reason?: string;
}

export interface Person {
  openid: string;
  userName?: string;
}

/** What stands at a position of a conversation, as it is handed out live. */
export interface ChatRecord {
  kind: "message" | "recalled" | "event";
  conversationId: string;
  seq: number;
  prevSeq: number;
  messageId: string;
  msgid?: string;
  from?: Person;
  to?: Person;
  groupId?: string;
  /** Ours, from another device. */
  mine: boolean;
  message: string;
  /** 0 text, 1 image, 2 file, 3 audio, 4 video. */
  fileType: number;
  /** Epoch ms. */
  at: number;
  /** Of `recalled`: the messageId of what was taken back. */
  recalled?: string;
  /** Of `event`: created, joined, left, renamed, dissolved. */
  event?: string;
  user?: Person | string;
  name?: string;
}

/** What stands at a position of a history: positions that are passed over have neither messageId nor sender. */
export interface Item extends Omit<ChatRecord, "kind" | "messageId"> {
  kind: "message" | "recalled" | "expired" | "recall" | "event";
  messageId?: string;
}

/** A message of ours. Read it, never write it. */
export interface Outgoing {
  msgid: string;
  to?: string;
  groupId?: string;
  message: string;
  fileType: number;
  /** Epoch ms: when it was given to send, then when it was stored. */
  at: number;
  state: "sending" | "stored" | "refused";
  messageId?: string;
  conversationId?: string;
  seq?: number;
  /** The server had it already. */
  duplicate?: boolean;
  /** Why it was refused, or what delays it. */
  error?: YanlinkError;
}

export class YanlinkError extends Error {
  constructor(code: string, message?: string, more?: Partial<YanlinkError>);
  /** A code of the protocol, or `queue_full`, `closed`, `unreachable`, `http`. */
  code: string;
  /** HTTP status; 0 if there was none. */
  status: number;
  /** The same may succeed later. */
  temporary: boolean;
  /** When that is, in seconds, if an answer to a REST call says it. */
  retryAfter?: number;
  /** When that is, in milliseconds, if a frame says it; a message is sent again then. */
  retryAfterMs?: number;
  /** The field of the frame that is wrong. */
  field?: string;
  /** The message that it is about. */
  msgid?: string;
}
