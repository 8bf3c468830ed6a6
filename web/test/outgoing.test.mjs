// What goes out: kept until it is stored.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeStorage, World } from "./world.mjs";

const msgids = (socket) => socket.of(1).map(({ msgid }) => msgid);

/** Sends and notes how it ended. */
function note(link, to, message, msgid) {
  const sent = { state: "pending" };
  link.send(to, message, { msgid }).then((entry) => { sent.state = entry.seq; }, (error) => { sent.state = error.code; });
  return sent;
}

test("send resolves at stored; delivered is told", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  const sent = link.send("will", "hello", { msgid: "m1" });
  await world.settle();
  assert.deepEqual(socket.of(1), [{ toMessageId: "will", message: "hello", fileType: 0, msgid: "m1" }]);
  assert.equal(world.storage.values.size, 2, "place and message are kept");
  socket.accept("m1", 3);
  const entry = await sent;
  assert.deepEqual([entry.state, entry.seq, entry.messageId, entry.conversationId, entry.at, entry.duplicate], ["stored", 3, "id-3", "a1", 7003, false]);
  socket.say({ messageId: "id-3", msg: { type: 17, status: 200, params: { msgid: "m1", messageId: "id-3", toUser: "will", device: "phone", at: 8000 } } });
  assert.deepEqual(link.of("outgoing"), ["sending", "stored"]);
  const [{ messageId, to, device, at }] = link.of("delivered");
  assert.deepEqual([messageId, to, device, at], ["id-3", "will", "phone", 8000]);
  assert.deepEqual([...world.storage.values.keys()], ["place"]);
});

test("to a group goes frame 9", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  link.send({ groupId: "g1" }, "all", { msgid: "m1", fileType: 2 });
  await world.settle();
  assert.deepEqual(socket.of(9), [{ toMessageId: "g1", message: "all", fileType: 2, msgid: "m1" }]);
});

test("one at a time to one recipient, side by side to several", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  for (const [msgid, to] of [["m1", "will"], ["m2", "will"], ["m3", "ann"]]) link.send(to, "text", { msgid });
  await world.settle();
  assert.deepEqual(msgids(socket), ["m1", "m3"]);
  socket.accept("m1", 1);
  await world.settle();
  assert.deepEqual(msgids(socket), ["m1", "m3", "m2"]);
});

test("what had no answer goes again under its msgid after a reconnect, and what is stored is asked for", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  const first = note(link, "will", "first", "m1");
  await world.settle();
  socket.accept("m1", 1);
  const others = ["m2", "m3"].map((msgid) => note(link, "will", "text", msgid));
  await world.settle();
  socket.end();
  others.push(note(link, "will", "typed while down", "m4"));
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  assert.deepEqual(next.of(28)[0], { conversations: {}, pending: ["id-1"] });
  for (const [n, msgid] of ["m2", "m3", "m4"].entries()) {
    await world.settle();
    assert.equal(msgids(next).at(-1), msgid);
    next.accept(msgid, n + 2, { duplicate: n === 0 });
  }
  await world.settle();
  assert.deepEqual([first, ...others].map(({ state }) => state), [1, 2, 3, 4]);
  assert.deepEqual(link.unsent, []);
  assert.deepEqual(next.of(28)[1].pending, ["id-2"], "what the server had already may have been delivered already");
});

test("the next page sends what this one could not, in order", async () => {
  const world = new World();
  const link = world.link();
  for (const n of [1, 2, 3]) note(link, "will", `text ${n}`, `m${n}`);
  await world.settle();
  await link.close();
  const other = world.link();
  const sent = note(other, "will", "typed later", "m4");
  const socket = await world.socket();
  socket.hello();
  await world.settle();
  assert.deepEqual(other.unsent.map(({ message }) => message), ["text 1", "text 2", "text 3", "typed later"]);
  for (const n of [1, 2, 3, 4]) {
    await world.settle();
    socket.accept(`m${n}`, n);
  }
  await world.settle();
  assert.deepEqual(msgids(socket), ["m1", "m2", "m3", "m4"]);
  assert.deepEqual([sent.state, other.unsent], [4, []]);
  await other.close();
  assert.deepEqual([...world.storage.values.keys()], ["place"]);
});

test("another epoch keeps what is not sent, and forgets what is stored", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  note(link, "will", "stored before the restore", "m0");
  await world.settle();
  socket.accept("m0", 5);
  const kept = note(link, "will", "kept", "m1");
  await world.settle();
  socket.end();
  await world.pass(1000);
  const next = await world.socket();
  next.hello({ epoch: 2 });
  await world.settle();
  assert.deepEqual([next.of(28)[0].pending, msgids(next)], [[], ["m1"]]);
  next.accept("m1", 1);
  await world.settle();
  assert.equal(kept.state, 1);
});

test("a refusal for now is tried again, a final one is not", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  const first = note(link, "will", "hello", "m1");
  const second = note(link, "nobody", "hello", "m2");
  await world.settle();
  socket.refuse("m1", "overloaded", true);
  socket.refuse("m2", "unknown_user");
  await world.settle();
  assert.deepEqual([first.state, second.state], ["pending", "unknown_user"]);
  assert.equal(link.unsent[0].error.code, "overloaded");
  await world.pass(2000);
  assert.deepEqual(msgids(socket), ["m1", "m2", "m1"]);
  socket.accept("m1", 1);
  await world.settle();
  assert.deepEqual([first.state, link.of("outgoing")], [1, ["sending", "sending", "sending", "refused", "stored"]]);
});

test("a refusal that says when to try again is heeded", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  note(link, "will", "hello", "m1");
  await world.settle();
  socket.refuse("m1", "rate_limited", true, { retryAfterMs: 15_000 });
  await world.pass(14_000);
  assert.deepEqual([msgids(socket), link.unsent[0].error.retryAfterMs], [["m1"], 15_000]);
  await world.pass(2000);
  assert.deepEqual(msgids(socket), ["m1", "m1"]);
});

test("no answer for long means writing it again", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  note(link, "will", "hello", "m1");
  await world.pass(10_000);
  assert.deepEqual(msgids(socket), ["m1", "m1"]);
});

test("the same msgid is one message", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  const twice = [note(link, "will", "hello", "m1"), note(link, "will", "hello", "m1")];
  await world.settle();
  socket.accept("m1", 1);
  await world.settle();
  assert.deepEqual([twice.map(({ state }) => state), msgids(socket)], [[1, 1], ["m1"]]);
});

test("a queue that is full says so", async () => {
  const world = new World();
  const link = world.link();
  const sent = Array.from({ length: 200 }, (_, n) => note(link, "will", "text", `m${n}`));
  await world.settle();
  await assert.rejects(link.send("will", "one more"), { code: "queue_full" });
  assert.ok(sent.every(({ state }) => state === "pending"));
});

test("close settles every promise and forgets nothing, unless told to", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  const sent = [note(link, "will", "one", "m1"), note(link, "will", "two", "m2")];
  const read = assert.rejects(link.read("a1", 1), { code: "closed" });
  await world.settle();
  await link.close();
  await read;
  await world.settle();
  assert.deepEqual([sent.map(({ state }) => state), socket.closed, world.storage.values.size], [["closed", "closed"], true, 3]);
  await assert.rejects(link.send("will", "three"), { code: "closed" });
  const { link: other } = await world.online();
  await other.close({ forget: true });
  assert.equal(world.storage.values.size, 0);
});

test("a storage that refuses costs no message", async () => {
  const world = new World();
  const storage = new FakeStorage();
  for (const act of ["all", "put", "delete", "clear"]) storage[act] = async () => { throw new Error("quota"); };
  const { link, socket } = await world.online({ storage });
  const sent = note(link, "will", "hello", "m1");
  await world.settle();
  socket.accept("m1", 1);
  await world.settle();
  assert.equal(sent.state, 1);
  assert.ok(link.of("error").length > 0);
});

test("track asks what became of messages of an earlier page", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  link.track(["id-1", "id-2"]);
  link.track([]);
  assert.deepEqual(socket.of(28).slice(1), [{ conversations: {}, pending: ["id-1", "id-2"] }]);
  socket.end();
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  assert.deepEqual(next.of(28)[0].pending, ["id-1", "id-2"]);
});

test("a proof is told once, over connections too, and again to whoever asks", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  const told = () => link.of("delivered").map(({ messageId, to, device, delivered }) => [messageId, to ?? delivered, device].join(" ").trim());
  const proofs = (on) => {
    for (const params of [
      { messageId: "id-1", toUser: "will", device: "web" }, { messageId: "id-1", toUser: "will", device: "phone" },
      { messageId: "id-1", toUser: "jack", device: "web" }, { messageId: "id-2", toUser: "will", device: "web" },
      { messageId: "id-3", groupId: "g1", delivered: 60, of: 70 }, { messageId: "id-3", groupId: "g1", delivered: 70, of: 70 },
    ]) on.say({ messageId: params.messageId, msg: { type: 17, status: 200, params: { at: 8000, ...params } } });
  };
  proofs(socket);
  const all = ["id-1 will web", "id-1 will phone", "id-1 jack web", "id-2 will web", "id-3 60", "id-3 70"];
  assert.deepEqual(told(), all);
  proofs(socket);
  socket.end();
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  proofs(next);
  assert.deepEqual(told(), all);

  note(link, "will", "hello", "m1");
  await world.settle();
  next.accept("m1", 1, { duplicate: true });
  await world.settle();
  assert.deepEqual(next.of(28).at(-1).pending, ["id-1"]);
  proofs(next);
  assert.deepEqual(told(), all, "nobody asked but the client itself");

  link.track(["id-2"]);
  proofs(next);
  assert.deepEqual(told(), [...all, "id-2 will web"]);
});

test("what no server takes is refused, stays nowhere, and holds up nothing", async () => {
  const world = new World();
  const { link, socket } = await world.online({}, { frameBytes: 1000 });
  const long = note(link, "will", "é".repeat(500), "m1");
  const unnamed = note(link, "will", "text", "m".repeat(65));
  const next = note(link, "will", "text", "m2");
  await world.settle();
  assert.deepEqual([long.state, unnamed.state], ["too_large", "bad_field"]);
  assert.deepEqual(msgids(socket), ["m2"]);
  socket.accept("m2", 1);
  await world.settle();
  assert.equal(next.state, 1);
  assert.deepEqual([...world.storage.values.keys()], ["place"]);
});

test("what a server takes is what its hello says", async () => {
  const world = new World();
  const sent = note(world.link(), "will", "x".repeat(70_000), "m1");
  const socket = await world.socket();
  socket.hello({ frameBytes: 100_000 });
  await world.settle();
  assert.equal(sent.state, "pending");
  assert.deepEqual(msgids(socket), ["m1"]);
});
