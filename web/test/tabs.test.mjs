// Tabs that share one connection.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { World, asTabs, texts } from "./world.mjs";

let undo;
beforeEach(() => { undo = asTabs(); });
afterEach(() => undo());

/** Two tabs, of which the first has the connection. */
async function twoTabs() {
  const world = new World();
  const first = world.link({ share: true });
  const socket = await world.socket();
  socket.hello();
  const second = world.link({ share: true });
  await world.settle();
  return { world, first, second, socket };
}

test("two tabs have one connection, and both hear what comes", async () => {
  const { world, first, second, socket } = await twoTabs();
  assert.equal(world.sockets.length, 1);
  assert.equal(second.connection.state, "online");
  socket.message(1);
  socket.message(1);
  await world.settle();
  assert.deepEqual([texts(first), texts(second)], [["text 1"], ["text 1"]]);
  assert.deepEqual(socket.of(15).map(({ upTo }) => upTo).at(-1), 1);
});

test("the second tab sends through the first, which learns what was sent", async () => {
  const { world, first, second, socket } = await twoTabs();
  const told = [];
  first.on("outgoing", (entry) => told.push(entry));
  const sent = second.send("will", "from the second", { msgid: "m1" });
  await world.settle();
  assert.equal(socket.of(1)[0].msgid, "m1");
  socket.accept("m1", 4);
  assert.equal((await sent).seq, 4);
  const { state, message, to, seq, msgid } = told[0];
  assert.deepEqual({ state, message, to, seq, msgid }, { state: "stored", message: "from the second", to: "will", seq: 4, msgid: "m1" });
  socket.say({ messageId: "id-4", msg: { type: 17, params: { messageId: "id-4", msgid: "m1", toUser: "will", device: "web", at: 1 } } });
  await world.settle();
  assert.deepEqual([first.of("delivered").length, second.of("delivered").length], [1, 1]);
});

test("when the first tab ends, the second connects and goes on", async () => {
  const { world, first, second, socket } = await twoTabs();
  socket.message(1);
  await world.settle();
  const sent = second.send("will", "without an answer", { msgid: "m1" });
  await world.settle();
  await first.close();
  const next = await world.socket();
  assert.notEqual(next, socket);
  next.hello();
  await world.settle();
  assert.deepEqual(next.of(28)[0].conversations, { a1: 1 });
  assert.deepEqual(next.of(1).map(({ msgid }) => msgid), ["m1"]);
  next.accept("m1", 2);
  assert.equal((await sent).seq, 2);
  next.message(1);
  next.message(3, "three", { prevSeq: 1 });
  await world.settle();
  assert.deepEqual(second.of("connection").filter(({ state }) => state === "ended"), []);
  assert.deepEqual(texts(second), ["text 1", "three"]);
});

test("what a tab left behind is sent by the one that connects", async () => {
  const { world, first, second, socket } = await twoTabs();
  socket.end();
  await world.settle();
  second.send("will", "left behind", { msgid: "m1" }).catch(() => {});
  await world.settle();
  await second.close();
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  await world.settle();
  assert.deepEqual(next.of(1).map(({ message }) => message), ["left behind"]);
  next.accept("m1", 1);
  await world.settle();
  assert.deepEqual([first.unsent.length, [...world.storage.values.keys()]], [0, ["place"]]);
});

test("shown in one tab is enough", async () => {
  const world = new World();
  const first = world.link({ share: true, deaf: true });
  const socket = await world.socket();
  socket.hello();
  const second = world.link({ share: true });
  await world.settle();
  socket.message(1);
  await world.settle();
  assert.deepEqual([first.of("message"), texts(second), socket.of(15).length], [[], ["text 1"], 1]);
});

test("one subscription to presence for all tabs", async () => {
  const { world, first, second, socket } = await twoTabs();
  first.watch(["will"]);
  second.watch(["ann"]);
  await world.settle();
  assert.deepEqual(socket.of(23).at(-1), { users: ["will", "ann"] });
});

test("a tab that is told to start, or to try now, tells the one that connects", async () => {
  const { world, second, socket } = await twoTabs();
  socket.end(4409);
  await world.settle();
  assert.deepEqual([second.connection.state, second.connection.why], ["ended", "replaced"]);
  second.start();
  await world.settle();
  assert.equal(world.sockets.length, 2);
  (await world.socket()).hello();
  (await world.socket()).end();
  await world.settle();
  second.retryNow();
  await world.settle();
  assert.equal(world.sockets.length, 3);
});

test("what ended the connection of all tabs is not undone by the tab whose turn comes", async () => {
  const { world, first, second, socket } = await twoTabs();
  socket.end(4403, "signed out");
  await world.settle();
  await first.close();
  await world.pass(10_000);
  assert.deepEqual([second.connection.why, second.connection.reason], ["forbidden", "signed out"]);
  assert.equal(world.sockets.length, 1);
  second.start();
  await world.settle();
  assert.equal(world.sockets.length, 2);
});

test("a tab that waits for its turn may be closed", async () => {
  const { world, first, second } = await twoTabs();
  await second.close();
  await first.close();
  await world.pass(10_000);
  assert.equal(world.sockets.length, 1);
});

test("without locks each tab is a passing device, and one that was duplicated takes another name", async () => {
  undo();
  const world = new World();
  const { link, socket } = await world.online({ share: true });
  const before = link.device;
  assert.match(before, /^~[-\d]{8}$/);
  assert.match(socket.url, /device=~[-\d]{8}$/);
  socket.end(4409);
  await world.pass(1000);
  assert.equal(world.sockets.length, 2);
  assert.notEqual(link.device, before);
  undo = () => {};
});

test("where the browser refuses locks a tab is alone, and says why", async () => {
  globalThis.navigator.locks.request = async () => { throw new Error("SecurityError"); };
  const before = Object.getOwnPropertyDescriptor(globalThis, "sessionStorage");
  Object.defineProperty(globalThis, "sessionStorage", { get: () => { throw new Error("SecurityError"); }, configurable: true });
  const tabs = undo;
  undo = () => {
    tabs();
    delete globalThis.sessionStorage;
    if (before) Object.defineProperty(globalThis, "sessionStorage", before);
  };
  const world = new World();
  const { link, socket } = await world.online({ share: true });
  assert.equal(link.connection.state, "online");
  assert.match(socket.url, /device=~[-\d]{8}$/);
  assert.equal(link.of("error")[0].message, "SecurityError");
});

test("a renewal of the second tab belongs to one connection too", async () => {
  const { world, first, second, socket } = await twoTabs();
  const over = [second.renew(), second.renew()];
  await world.settle();
  assert.equal(socket.of(22).length, 2);
  socket.say({ type: 22, id: socket.sent.find(({ type }) => type === 22).id, status: 200 });
  await over[0];
  await first.close();
  const next = await world.socket();
  next.hello();
  await world.pass(15_000);
  await over[1];
  assert.deepEqual(next.of(22), []);

  const last = second.renew();
  await world.settle();
  next.end(4403);
  await assert.rejects(last, { code: "closed" });
});

test("a tab that comes later shows what the first one could not", async () => {
  const world = new World();
  const first = world.link({ share: true, deaf: true });
  const socket = await world.socket();
  socket.hello();
  socket.message(1);
  await world.settle();
  const second = world.link({ share: true });
  await world.settle();
  world.answers["api/v1/conversations/a1/messages?after=0&limit=100"] = { body: { items: [
    { seq: 1, messageId: "id-1", kind: "message", from: { openid: "will" }, message: "text 1", at: 1 },
    { seq: 2, messageId: "id-2", kind: "message", from: { openid: "will" }, message: "text 2", at: 2 },
  ] } };
  socket.message(2, "text 2", { prevSeq: 1 });
  await world.settle();
  assert.deepEqual(socket.of(15), [], "nothing is acknowledged that nobody has shown");
  await world.pass(1000);
  assert.deepEqual([texts(first), texts(second)], [[], ["text 1", "text 2"]]);
  assert.deepEqual(socket.of(15).map(({ upTo }) => upTo), [1, 2]);
});

test("a tab that comes later is not given what was acknowledged long ago", async () => {
  const world = new World();
  const first = world.link({ share: true });
  const socket = await world.socket();
  socket.hello();
  socket.message(1);
  for (let n = 1; n <= 201; n++) socket.message(1, "text", { conversationId: `b${n}` }); // more than are remembered
  await world.settle();
  const second = world.link({ share: true });
  await world.settle();
  socket.message(2);
  await world.pass(1000);
  assert.deepEqual([texts(first).at(-1), texts(second)], ["text 2", ["text 2"]]);
  assert.deepEqual(world.requests, []);
});

test("servers are told apart by where they are", async () => {
  const world = new World();
  const links = ["http://eu.test/im/", "http://us.test/im/"].map((base) => world.link({ share: true, base }));
  await world.settle();
  assert.deepEqual(world.sockets.map(({ url }) => new URL(url).host), ["eu.test", "us.test"]);
  assert.equal(links.every(({ connection }) => connection.state === "connecting"), true);
});
