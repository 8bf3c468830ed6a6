import assert from "node:assert/strict";
import { test } from "node:test";
import { Chats } from "../assets/chats.js";
import { ReadMarks } from "../assets/read-marks.js";

/** What localStorage is to a page. */
const shelf = () => {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
};

/** Chats over answers by path. */
function chatsOver(answers, storage = shelf()) {
  const link = {
    marks: [],
    rest: async (method, path, { query } = {}) => answers[path]?.(query) ?? { items: [] },
    history: async (id, query) => answers.history?.(query) ?? { items: [], next: "" },
    read: async (id, seq) => {
      link.marks.push([id, seq]);
      await chats.tell?.();
    },
  };
  const chats = Object.assign(new Chats(link, "rose", new ReadMarks("marks", storage)), { marks: link.marks });
  return chats;
}

const direct = (id, openid, more = {}) => ({ conversationId: id, kind: "direct", peer: { openid, userName: openid.toUpperCase() }, lastSeq: 0, readSeq: 0, unread: 0, lastMessage: null, ...more });
const item = (seq, openid = "will") => ({ seq, messageId: `id-${seq}`, kind: "message", mine: openid === "rose", from: { openid, userName: openid }, message: `text ${seq}`, fileType: 0, msgid: `m${seq}`, at: 1000 + seq });
const live = (seq, more = {}) => ({ kind: "message", conversationId: "a1", seq, prevSeq: seq - 1, messageId: `id-${seq}`, msgid: `m${seq}`, mine: false, from: { openid: "will", userName: "Will" }, to: { openid: "rose", userName: "Rose" }, message: `text ${seq}`, fileType: 0, at: 1000 + seq, ...more });
const away = () => false;
const looking = () => true;

test("the list comes in pages, the newest first", async () => {
  const chats = chatsOver({ conversations: ({ cursor }) => (cursor
    ? { items: [direct("b2", "anna", { lastMessage: item(9, "anna") })], next: "" }
    : { items: [direct("a1", "will", { lastMessage: item(3) })], next: "more" }) });
  await chats.refresh();
  assert.deepEqual(chats.all.map((chat) => [chat.id, chat.peer.name, chat.last.text]), [["b2", "ANNA", "text 9"], ["a1", "WILL", "text 3"]]);
});

test("a conversation before its first message is not another one's", async () => {
  const chats = chatsOver({ conversations: () => ({ items: [direct(undefined, "anna")] }) });
  const will = chats.withPerson("will");
  const anna = chats.withPerson("anna");
  assert.deepEqual(await chats.history(anna), []);
  assert.deepEqual([anna.peer.name, will.peer.name, anna.id], ["ANNA", "", undefined]);
});

test("the first message gives a conversation its number", () => {
  const chats = chatsOver({});
  const will = chats.withPerson("will");
  assert.equal(chats.arrived(live(1), away), will);
  assert.deepEqual([will.id, will.peer.name, will.unread], ["a1", "Will", 1]);
});

test("what we wrote on another device belongs to its recipient", () => {
  const chats = chatsOver({});
  const chat = chats.arrived(live(1, { mine: true, from: { openid: "rose", userName: "Rose" }, to: { openid: "will", userName: "Will" } }), away);
  assert.deepEqual([chat.peer.openid, chat.unread, chat.last.mine], ["will", 0, true]);
});

test("what is looked at is not unread, over reloads too, and the server is told once", async () => {
  const storage = shelf();
  const list = { conversations: () => ({ items: [direct("a1", "will", { lastSeq: 3, unread: 3 })] }) };
  const chats = chatsOver(list, storage);
  chats.arrived(live(1), looking);
  const chat = chats.arrived(live(2), looking);
  chats.looked(chat);
  assert.deepEqual([chats.unread, chats.marks], [0, [["a1", 1], ["a1", 2]]]);
  await chats.refresh();
  assert.equal(chats.unread, 1, "the server counts three, two of which were read here");
  const next = chatsOver(list, storage);
  await next.refresh();
  assert.equal(next.unread, 1);
});

test("what the server refused to note is told again at the next look", async () => {
  const chats = chatsOver({});
  let away = true;
  chats.tell = async () => { if (away) throw new Error("storage_unavailable"); };
  const chat = chats.arrived(live(1), looking);
  await new Promise(setImmediate);
  away = false;
  chats.looked(chat);
  chats.looked(chat);
  assert.deepEqual(chats.marks, [["a1", 1], ["a1", 1]]);
});

test("a full storage holds up nothing", () => {
  const full = { ...shelf(), setItem: () => { throw new Error("QuotaExceededError"); } };
  const chats = chatsOver({}, full);
  chats.arrived(live(1), looking);
  assert.deepEqual(chats.marks, [["a1", 1]]);
});

test("what we read elsewhere is read here", async () => {
  const chats = chatsOver({ conversations: () => ({ items: [direct("a1", "will", { lastSeq: 3, unread: 3 })] }) });
  await chats.refresh();
  chats.readBy({ conversationId: "a1", seq: 3, user: "rose" });
  assert.equal(chats.unread, 0);
});

test("what they read shows on ours", () => {
  const chats = chatsOver({});
  const chat = chats.outgoing({ msgid: "m1", to: "will", message: "hello", fileType: 0, at: 5, state: "stored", messageId: "id-1", conversationId: "a1", seq: 1 });
  chats.readBy({ conversationId: "a1", seq: 1, user: "will" });
  assert.deepEqual(chat.timeline.messages.map(({ state }) => state), ["read"]);
});

test("typing lasts until the message comes", () => {
  const chats = chatsOver({});
  const chat = chats.typing({ from: { openid: "will", userName: "Will" }, signal: "typing" });
  assert.ok(chat.typingUntil > Date.now());
  chats.arrived(live(1), away);
  assert.equal(chat.typingUntil, 0);
  assert.equal(chats.typing({ from: { openid: "will" }, signal: "recording" }), null);
});

test("what they read while we were away shows too, and stays when the history is read again", async () => {
  const chats = chatsOver({
    conversations: () => ({ items: [direct("a1", "will", { lastSeq: 3, peerReadSeq: 2 })] }),
    history: () => ({ items: [item(3, "rose"), item(2, "rose"), item(1, "rose")], next: "" }),
  });
  const chat = chats.bind(chats.withPerson("will"), "a1");
  const states = () => chat.timeline.messages.map(({ state }) => state);
  await chats.history(chat);
  assert.deepEqual(states(), ["stored", "stored", "stored"]);
  await chats.refresh();
  assert.deepEqual(states(), ["read", "read", "stored"]);
  chats.reset({ epoch: false });
  await chats.history(chat);
  assert.deepEqual(states(), ["read", "read", "stored"]);
});

test("history goes back from what stands here", async () => {
  const asked = [];
  const chats = chatsOver({ history: ({ before, limit }) => {
    asked.push(before);
    const newest = Math.min(before - 1, 60);
    return { items: Array.from({ length: Math.min(limit, newest) }, (_, n) => item(newest - n)), next: newest > limit ? "b1" : "" };
  } });
  const chat = chats.arrived(live(60), away);
  await chats.history(chat);
  assert.deepEqual([chat.timeline.oldest, chat.timeline.newest, chat.more], [11, 60, true]);
  await chats.history(chat, { older: true });
  assert.deepEqual([chat.timeline.oldest, chat.timeline.messages.length, chat.more], [1, 60, false]);
  assert.equal(asked[1], 11);
});

test("positions that hold nothing for us do not stand on the page", async () => {
  const chats = chatsOver({ history: () => ({ items: [{ seq: 3, kind: "recall" }, { ...item(2), kind: "recalled", message: "" }, item(1)] }) });
  const chat = chats.bind(chats.withPerson("will"), "a1");
  await chats.history(chat);
  assert.deepEqual(chat.timeline.messages.map((message) => [message.seq, message.kind]), [[1, "message"], [2, "recalled"]]);
});

test("a record of a conversation that we have not heard of says so", () => {
  const chats = chatsOver({});
  assert.equal(chats.arrived(live(1, { kind: "recalled", recalled: "id-0" }), away), null);
});
