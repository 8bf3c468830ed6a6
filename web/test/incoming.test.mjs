// What comes in: once, in order, acknowledged when it was shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, texts } from "./world.mjs";

const acked = (socket) => socket.of(15).map(({ conversationId, upTo }) => [conversationId, upTo]);

test("a message passes once, and a repeat is acknowledged again", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  await world.settle();
  socket.message(1);
  await world.settle();
  assert.deepEqual(texts(link), ["text 1"]);
  assert.deepEqual(socket.of(15)[0], { from: "client", conversationId: "a1", upTo: 1 });
  assert.deepEqual(acked(socket), [["a1", 1], ["a1", 1]]);
});

test("a record says whose it is", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(7, "hello", { prevSeq: 3 });
  await world.settle();
  const [record] = link.of("message");
  assert.deepEqual(
    [record.kind, record.messageId, record.msgid, record.from, record.to.openid, record.mine, record.fileType, record.at, record.seq, record.prevSeq],
    ["message", "id-7", "m-7", { openid: "will", userName: "Will" }, "rose", false, 0, 5007, 7, 3]);
});

test("nothing is acknowledged before its handler has returned, and nothing overtakes", async () => {
  const world = new World();
  const { link, socket } = await world.online({ deaf: true });
  const seen = [];
  const finish = [];
  link.on("message", ({ message }) => new Promise((done) => { seen.push(message); finish.push(done); }));
  socket.message(1);
  socket.message(2);
  socket.message(1, "elsewhere", { conversationId: "b2" });
  socket.message(1); // a resend while the handler still runs
  await world.settle();
  assert.deepEqual(seen, ["text 1", "elsewhere"]);
  assert.deepEqual(acked(socket), []);
  finish[0]();
  await world.settle();
  assert.deepEqual(seen, ["text 1", "elsewhere", "text 2"]);
  assert.deepEqual(acked(socket), [["a1", 1]]);
});

test("nothing is acknowledged while nobody listens", async () => {
  const world = new World();
  const { link, socket } = await world.online({ deaf: true });
  socket.message(1);
  await world.pass(1000);
  assert.deepEqual(acked(socket), []);
  link.on("message", (message) => { link.log.push(["message", message]); });
  await world.settle();
  assert.deepEqual([texts(link), acked(socket)], [["text 1"], [["a1", 1]]]);
});

test("a handler that fails gets the message again, and only that handler", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  let failures = 2;
  const tried = [];
  link.on("message", async ({ message }) => {
    tried.push(message);
    if (failures-- > 0) throw new Error("not now");
  });
  socket.message(1);
  socket.message(2);
  await world.settle();
  assert.deepEqual([tried, acked(socket)], [["text 1"], []]);
  await world.pass(5000);
  assert.deepEqual(tried, ["text 1", "text 1", "text 1", "text 2"]);
  assert.deepEqual(texts(link), ["text 1", "text 2"]);
  assert.equal(link.of("error").length, 2);
  assert.deepEqual(acked(socket).at(-1), ["a1", 2]);
});

test("what comes early waits, and positions that are not ours are passed over", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  socket.message(9, "nine", { prevSeq: 6 });
  socket.message(6, "six", { prevSeq: 3 });
  await world.settle();
  assert.deepEqual(texts(link), ["text 1"]);
  socket.message(3, "three", { prevSeq: 1 });
  await world.pass(1000);
  assert.deepEqual(texts(link), ["text 1", "three", "six", "nine"]);
  assert.deepEqual(world.requests, [], "a gap that a resend closes asks nothing");
});

test("every shuffle of a conversation comes out in order, once", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  let state = 7;
  const chance = (n) => (state = (state * 48271) % 2147483647) % n;
  const wire = Array.from({ length: 60 }, (_, n) => n + 2).flatMap((seq) => [seq, seq]);
  for (let n = wire.length - 1; n > 0; n--) {
    const m = chance(n + 1);
    [wire[n], wire[m]] = [wire[m], wire[n]];
  }
  for (const seq of wire) socket.message(seq);
  await world.pass(250);
  assert.deepEqual(link.of("message").map(({ seq }) => seq), Array.from({ length: 61 }, (_, n) => n + 1));
});

test("more early ones than can wait are forgotten, and taken when they come again", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  for (let seq = 3; seq < 303; seq++) socket.message(seq);
  socket.message(2);
  await world.pass(250);
  assert.equal(link.of("message").length, 202);
  for (let seq = 203; seq < 303; seq++) socket.message(seq);
  await world.pass(250);
  assert.equal(link.of("message").at(-1).seq, 302);
});

test("a gap is filled from history, in order", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  await world.settle();
  world.answers["api/v1/conversations/a1/messages?after=1&limit=100"] = { body: { items: [
    { seq: 2, messageId: "id-2", kind: "message", from: { openid: "will", userName: "Will" }, message: "text 2", at: "2026-01-02T03:04:05Z" },
    { seq: 3, messageId: "id-3", kind: "recalled", from: { openid: "will" } },
  ] } };
  socket.message(5, "five", { prevSeq: 4 });
  socket.message(4);
  socket.message(4);
  assert.deepEqual(texts(link), ["text 1"]);
  await world.pass(600);
  assert.deepEqual(texts(link), ["text 1", "text 2", "text 4", "five"]);
  assert.deepEqual(link.of("reset"), []);
});

test("a recall that only history has means reading again", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  await world.settle();
  world.answers["api/v1/conversations/a1/messages?after=1&limit=100"] = { body: { items: [{ seq: 2, kind: "recall" }] } };
  socket.message(3);
  await world.pass(600);
  assert.deepEqual([texts(link), link.of("reset")], [["text 1", "text 3"], [{ why: "gap" }]]);
});

test("recalls and joins keep their place in the order and are acknowledged", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(1);
  const params = { conversationId: "a1", by: { openid: "will" } };
  socket.say({ messageId: "id-3", msg: { type: 31, params: { ...params, seq: 3, prevSeq: 2, recalled: "id-1" } } });
  socket.say({ messageId: "id-2", msg: { type: 32, params: { ...params, seq: 2, prevSeq: 1, event: "joined", user: { openid: "ann" } } } });
  await world.settle();
  assert.deepEqual(link.log.filter(([name]) => name !== "connection").map(([name]) => name), ["message", "event", "recalled"]);
  assert.deepEqual([link.of("recalled")[0].recalled, link.of("event")[0].event], ["id-1", "joined"]);
  assert.deepEqual(acked(socket).at(-1), ["a1", 3]);
});

test("the next page goes on where the last one was", async () => {
  const world = new World();
  const { socket, link } = await world.online();
  socket.message(1);
  await world.settle();
  await link.close();
  const { link: other, socket: again } = await world.online();
  assert.deepEqual(again.of(28)[0].conversations, { a1: 1 });
  again.message(1);
  again.message(2);
  await world.settle();
  assert.deepEqual(texts(other), ["text 2"]);
});

test("another epoch makes positions void", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(4);
  await world.settle();
  socket.end();
  await world.pass(1000);
  const next = await world.socket();
  next.hello({ epoch: 2 });
  assert.deepEqual(link.of("reset"), [{ why: "epoch" }]);
  assert.deepEqual(next.of(28), [{ conversations: {}, pending: [] }]);
  next.message(2, "after the restore");
  await world.settle();
  assert.deepEqual(texts(link), ["text 4", "after the restore"]);
});

test("29: a refused mark is forgotten, a lost place and what is gone are told", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.message(5);
  await world.settle();
  socket.say({ type: 29, status: 200, params: { epoch: 1, waiting: [], gone: ["id-1"], reset: true, errors: [{ conversationId: "a1", code: "bad_field" }] } });
  assert.deepEqual([link.of("reset"), link.of("gone")], [[{ why: "device" }], [{ messageIds: ["id-1"] }]]);
  socket.message(3, "a new beginning");
  await world.settle();
  assert.deepEqual(texts(link), ["text 5", "a new beginning"]);
});

test("a sync that is refused for now is tried again", async () => {
  const world = new World();
  const { socket } = await world.online();
  socket.refuse(socket.sent.find(({ type }) => type === 28).id, "storage_unavailable", true);
  await world.pass(3000);
  assert.equal(socket.of(28).length, 2);
});

test("the answer to a subscription says how it stands with everybody", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  link.watch(["will", "ann"]);
  socket.say({ type: 23, status: 200, params: { users: [{ openid: "will", status: "online", devices: ["web"] }, { openid: "ann", status: "offline", devices: [] }] } });
  assert.deepEqual(link.of("presence").map(({ openid, status }) => [openid, status]), [["will", "online"], ["ann", "offline"]]);
});

test("a name that cannot be one does not keep others from being watched", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  link.watch(["will", "two, names", "x".repeat(129), "é".repeat(65), "line\nbreak", ""]);
  assert.deepEqual(socket.of(23), [{ users: ["will"] }]);
});

test("presence is asked for again after a reconnect", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  link.watch(["will", "ann"]);
  link.watch(["bob"]);
  assert.deepEqual(socket.of(23), [{ users: ["will", "ann"] }, { users: ["will", "ann", "bob"] }]);
  socket.end();
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  assert.deepEqual(next.of(23), [{ users: ["will", "ann", "bob"] }]);
  next.say({ type: 24, params: { openid: "will", status: "online", devices: ["web"], at: 9000 } });
  assert.deepEqual(link.of("presence"), [{ openid: "will", status: "online", devices: ["web"], at: 9000 }]);
});

test("typing is heard and said, and never kept", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  link.typing("will");
  link.typing({ groupId: "g1" }, "recording");
  assert.deepEqual(socket.of(27), [{ toMessageId: "will", signal: "typing" }, { groupId: "g1", signal: "recording" }]);
  socket.say({ type: 27, params: { fromUser: { openid: "will", userName: "Will" }, signal: "typing" } });
  assert.deepEqual(link.of("typing").map(({ from, signal }) => [from.openid, signal]), [["will", "typing"]]);
  socket.end();
  link.typing("will");
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  assert.deepEqual(next.of(27), []);
});

test("read marks and recalls wait for a connection and for their answer", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.end();
  const read = link.read("a1", 5);
  const recall = link.recall("id-5");
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  const [asked] = next.sent.filter(({ type }) => type === 25);
  assert.deepEqual(asked.params, { conversationId: "a1", seq: 5 });
  next.say({ type: 25, id: asked.id, status: 200, params: { conversationId: "a1", seq: 5, at: 2 } });
  next.refuse(next.sent.find(({ type }) => type === 30).id, "forbidden");
  await read;
  await assert.rejects(recall, { code: "forbidden" });
  next.say({ messageId: "x", msg: { type: 26, params: { conversationId: "a1", seq: 4, user: "will", at: 1 } } });
  assert.deepEqual(link.of("read").map(({ user, seq }) => [user, seq]), [["rose", 5], ["will", 4]]);
});
