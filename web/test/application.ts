// An application that uses all there is of the package. That it compiles says that the types have what it names. Its tables
// are complete, since the compiler takes none that leaves something out; it runs without a server, and writes down what
// they name, so that package.test.mjs can compare that with what the code has: node application.js BASE.
import * as yanlink from "yanlink";
import { connect, Link, YanlinkError } from "yanlink";
import type { ChatRecord, Connection, Events, Item, Options, Outgoing, Person, Recipient, Storage } from "yanlink";

declare const process: { argv: string[] };

const values: Record<keyof typeof yanlink, unknown> = { connect, Link, YanlinkError };

const shelf = new Map<string, { key: string }>();
const storage: Storage = {
  all: async () => [...shelf.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
  put: async (value) => shelf.set(value.key, value),
  delete: async (key) => shelf.delete(key),
  clear: async () => shelf.clear(),
};

const options: Required<Options> = {
  me: "rose",
  token: async ({ renew }) => (renew ? { token: "another", expiresIn: 3600 } : "token"),
  base: process.argv[2]!,
  device: "robot",
  share: false,
  storage,
  WebSocket: globalThis.WebSocket,
  fetch: globalThis.fetch,
};

const will: Recipient = "will";
const everyone: Recipient = { groupId: "everyone" };
const nameOf = (person?: Person): string => person?.userName ?? person?.openid ?? "nobody";
const textOf = ({ kind, from, message, seq, at }: ChatRecord | Item): string => `${kind} ${seq} ${nameOf(from)} ${message} ${new Date(at)}`;
const failed = ({ message }: Error): string => message;

const listeners: { [Name in keyof Events]: (detail: Events[Name]) => unknown } = {
  connection: ({ state, retryAt = 0, why, code, reason }: Connection) => (state === "waiting" ? retryAt : [why, code, reason]),
  message: async (record: ChatRecord) => textOf(record),
  recalled: (record) => (record.conversationId === undefined ? record.recalled : textOf(record)),
  event: ({ event, user, name }) => [event, typeof user === "string" ? user : nameOf(user), name],
  outgoing: ({ state, to, groupId, error }: Outgoing) => [state, to ?? groupId, error?.code],
  delivered: ({ messageId, msgid, to, device, at, delivered, of }) => [messageId, msgid, to, device, new Date(at), delivered, of],
  read: ({ conversationId, seq, user }) => `${user} ${conversationId} ${seq}`,
  presence: ({ openid, status, devices = [] }) => [openid, status === "online", devices.join()],
  typing: ({ from, groupId, signal }) => [nameOf(from), groupId, signal],
  gone: ({ messageIds }) => messageIds.join(),
  reset: ({ why }) => why === "epoch" || why === "device" || why === "gap",
  error: failed,
};

const members: { [Name in keyof Link]: (link: Link) => unknown } = {
  connection: ({ connection }) => connection.state,
  device: ({ device }) => device.toUpperCase(),
  unsent: ({ unsent }) => unsent.map(({ msgid, message }) => `${msgid} ${message}`),
  on: (link) => {
    const stop: () => void = link.on("message", listeners.message);
    stop();
    for (const name of Object.keys(listeners) as (keyof Events)[]) link.on(name, listeners[name] as (detail: unknown) => unknown);
  },
  send: async (link) => {
    const { messageId, conversationId, seq, duplicate } = await link.send(will, "hello", { msgid: "m1", fileType: 0 });
    return [messageId, conversationId, seq, duplicate];
  },
  read: (link) => link.read("a1", 7),
  recall: (link) => link.recall("id-7"),
  typing: (link) => [link.typing(everyone), link.typing(will, "recording")],
  watch: (link) => link.watch(new Set(["will"])),
  track: (link) => link.track(["id-7"]),
  renew: (link) => link.renew(),
  history: async (link) => {
    const { items, next } = await link.history("a1", { before: 7, after: 1, limit: 50, cursor: "" });
    return [...items.map((item) => item.messageId ?? textOf(item)), next];
  },
  rest: (link) => link.rest("POST", "groups", { query: { cursor: undefined, limit: 1 }, body: { userIdList: "will" } }),
  start: (link) => link.start(),
  retryNow: (link) => link.retryNow(),
  close: (link) => link.close({ forget: true }),
};

const causes: { [Name in Exclude<keyof YanlinkError, keyof Error>]: (error: YanlinkError) => unknown } = {
  code: ({ code }) => code.length,
  status: ({ status }) => status > 499,
  temporary: ({ temporary }) => !temporary,
  retryAfter: ({ retryAfter = 0 }) => retryAfter * 1000,
  retryAfterMs: ({ retryAfterMs = 0 }) => retryAfterMs / 1000,
  field: ({ field }) => field?.length,
  msgid: ({ msgid }) => msgid?.length,
};

/** What the types have to forbid; never called. */
export function forbidden(link: Link): void {
  // @ts-expect-error: nobody would ask for a token
  connect({ me: "rose" });
  // @ts-expect-error: there is no such option
  connect({ ...options, url: "/im/" });
  // @ts-expect-error: there is no such event
  link.on("close", () => {});
  // @ts-expect-error: a proof has no text
  link.on("delivered", ({ message }) => message);
  // @ts-expect-error: only the client says how it stands
  link.connection = { state: "online" };
  // @ts-expect-error: several people are several calls
  void link.send(["will", "jack"], "hello");
  // @ts-expect-error: bodies are text
  void link.send("will", { text: "hello" });
  // @ts-expect-error: it has no position when a tab of this device took it back
  link.on("recalled", ({ seq }) => seq);
}

const asked: string[] = [];
const link = connect(new Proxy(options, { get: (target, name) => (asked.push(String(name)), Reflect.get(target, name)) }));
const settled = [];
for (const name of Object.keys(members) as (keyof Link)[]) settled.push(Promise.resolve(members[name](link)).catch((error: YanlinkError) => `${name}: ${error.code}`));
const refusals = (await Promise.all(settled)).filter((said) => typeof said === "string" && said.includes(": "));

console.log(JSON.stringify({
  values: Object.keys(values), listeners: Object.keys(listeners), members: Object.keys(members), causes: Object.keys(causes),
  options: Object.keys(options), asked: [...new Set(asked)], refusals, ended: link.connection.state,
}));
