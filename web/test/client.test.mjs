import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeStorage, World } from "./world.mjs";

const texts = (world) => world.of("message").map((message) => message.text);

/** A world with a client that is online. */
async function online(options) {
  const world = new World();
  const client = world.client(options);
  const socket = await world.socket();
  socket.hello();
  return { world, client, socket };
}

test("connects below its base, with the token in the subprotocol and not in the URL", async () => {
  const { world, socket } = await online({ device: "~tab 2" });
  assert.equal(socket.url, "ws://host.test/im/ws?v=1&device=~tab%202");
  assert.deepEqual(socket.protocols, ["yanlink.v1", `yanlink.token.${Buffer.from("token-1").toString("base64url")}`]);
  assert.deepEqual(socket.sent, [{ type: 28, id: "sync", params: { conversations: {}, pending: [] } }]);
  assert.deepEqual(world.of("connection").map((c) => c.state), ["connecting", "online"]);
});

test("a message passes once and is acknowledged only when it was shown", async () => {
  const { world, client, socket } = await online();
  socket.message(1, "one");
  await world.settle();
  assert.equal(socket.of(15).length, 0);
  client.shown(world.of("message")[0]);
  await world.settle();
  assert.deepEqual(socket.of(15)[0].params, { from: "client", conversationId: "a1", upTo: 1 });
  socket.message(1, "one");
  await world.settle();
  assert.deepEqual(texts(world), ["one"]);
  assert.equal(socket.of(15).length, 2, "a repeat of what was shown is acknowledged again");
});

test("a repeat of what was not shown yet is not acknowledged", async () => {
  const { world, socket } = await online();
  socket.message(1);
  socket.message(1);
  await world.settle();
  assert.equal(socket.of(15).length, 0);
});

test("acknowledgements of one task leave as one frame", async () => {
  const { world, client, socket } = await online();
  world.log.length = 0;
  client.on("message", (message) => client.shown(message));
  for (const seq of [1, 2, 3]) socket.message(seq);
  await world.settle();
  assert.deepEqual(socket.of(15).map((frame) => frame.params.upTo), [3]);
});

test("send: stored by 0, delivered by 17", async () => {
  const { world, client, socket } = await online();
  const sent = client.send("will", "hello", { msgid: "m1" });
  assert.equal(sent.state, "sending");
  assert.deepEqual(socket.of(1), [{ type: 1, id: "m1", params: { toMessageId: "will", message: "hello", fileType: 0, msgid: "m1" } }]);
  socket.say({ type: 0, id: "m1", status: 200, params: { msgid: "m1", messageId: "id-1", conversationId: "a1", seq: 1, at: 7000 } });
  assert.deepEqual([sent.state, sent.seq, sent.at], ["stored", 1, 7000]);
  socket.say({ messageId: "id-1", msg: { type: 17, status: 200, params: { msgid: "m1", messageId: "id-1", toUser: "will", device: "phone", at: 8000 } } });
  assert.deepEqual([sent.state, sent.device, sent.deliveredAt], ["delivered", "phone", 8000]);
  assert.deepEqual(world.of("state"), ["stored", "delivered"]);
  assert.deepEqual(world.of("delivered"), [{ messageId: "id-1", msgid: "m1", to: "will", device: "phone", at: 8000 }]);
});

test("what had no answer goes again under its msgid after a reconnect, and what is stored is asked for", async () => {
  const { world, client, socket } = await online();
  client.send("will", "first", { msgid: "m1" });
  socket.say({ type: 0, id: "m1", status: 200, params: { messageId: "id-1", conversationId: "a1", seq: 1 } });
  client.send("will", "second", { msgid: "m2" });
  client.send("will", "third", { msgid: "m3" });
  socket.end();
  client.send("will", "typed while down", { msgid: "m4" });
  await world.pass(1000);
  const next = await world.socket();
  assert.notEqual(next, socket);
  next.hello();
  assert.deepEqual(next.of(28)[0].params, { conversations: {}, pending: ["id-1"] });
  for (const [n, msgid] of ["m2", "m3", "m4"].entries()) {
    assert.equal(next.of(1)[n].params.msgid, msgid);
    next.say({ type: 0, id: msgid, status: 200, params: { messageId: `id-${n + 2}`, conversationId: "a1", seq: n + 2, duplicate: n === 0 } });
  }
  assert.deepEqual(client.unsent(), []);
});

test("a message that the server had already is asked for: its proof may be lost with the first answer", async () => {
  const { client, socket } = await online();
  client.send("will", "hello", { msgid: "m1" });
  socket.say({ type: 0, id: "m1", status: 200, params: { messageId: "id-1", conversationId: "a1", seq: 1, duplicate: true } });
  assert.deepEqual(socket.of(28).at(-1).params, { conversations: {}, pending: ["id-1"] });
});

test("the next page goes on where the last one was", async () => {
  const { world, client, socket } = await online();
  socket.message(1);
  client.shown(world.of("message")[0]);
  client.send("will", "unsent", { msgid: "m1" });
  await world.settle();
  const second = new World();
  second.storage = new FakeStorage(world.storage);
  const other = second.client();
  const again = await second.socket();
  again.hello();
  assert.deepEqual(again.of(28)[0].params.conversations, { a1: 1 });
  assert.deepEqual(again.of(1)[0].params.message, "unsent");
  again.message(1);
  again.message(2);
  assert.deepEqual(texts(second), ["text 2"]);
  assert.deepEqual(other.unsent("will").map((entry) => entry.text), ["unsent"]);
});

test("another epoch makes positions void, not unsent messages", async () => {
  const { world, client, socket } = await online();
  socket.message(4);
  client.shown(world.of("message")[0]);
  client.send("will", "stored before the restore", { msgid: "m0" });
  socket.say({ type: 0, id: "m0", status: 200, params: { messageId: "id-5", conversationId: "a1", seq: 5 } });
  client.send("will", "kept", { msgid: "m1" });
  socket.end();
  await world.pass(1000);
  const next = await world.socket();
  next.hello({ epoch: 2 });
  assert.deepEqual(world.of("reset"), [{ why: "epoch" }]);
  assert.deepEqual(next.of(28)[0].params, { conversations: {}, pending: [] });
  assert.equal(next.of(1).length, 1);
  next.message(2, "after the restore");
  assert.deepEqual(texts(world), ["text 4", "after the restore"]);
});

test("29: gone ends the waiting, a refused mark is forgotten, reset is told", async () => {
  const { world, client, socket } = await online();
  const sent = client.send("will", "hello", { msgid: "m1" });
  socket.say({ type: 0, id: "m1", status: 200, params: { messageId: "id-1", conversationId: "a1", seq: 1 } });
  socket.message(5);
  client.shown(world.of("message")[0]);
  socket.say({ type: 29, status: 200, params: { epoch: 1, waiting: [], gone: ["id-1"], reset: true, errors: [{ conversationId: "a1", code: "bad_field" }] } });
  assert.equal(sent.state, "gone");
  assert.deepEqual(world.of("reset"), [{ why: "device" }]);
  socket.message(3, "a new beginning");
  assert.deepEqual(texts(world), ["text 5", "a new beginning"]);
});

test("a gap is filled from history, in order", async () => {
  const { world, socket } = await online();
  socket.message(1);
  world.answers["api/v1/conversations/a1/messages?after=1&limit=100"] = { body: { items: [
    { seq: 2, messageId: "id-2", kind: "message", from: { openid: "will", userName: "Will" }, message: "text 2", at: "2026-01-02T03:04:05Z" },
    { seq: 3, kind: "recall" },
  ] } };
  socket.message(4);
  assert.deepEqual(texts(world), ["text 1"]);
  await world.pass(500);
  assert.deepEqual(texts(world), ["text 1", "text 2", "text 4"]);
});

test("a gap that a resend closes asks nothing", async () => {
  const { world, socket } = await online();
  for (const seq of [1, 3, 2]) socket.message(seq);
  await world.pass(1000);
  assert.deepEqual(texts(world), ["text 1", "text 2", "text 3"]);
  assert.deepEqual(world.requests, []);
});

test("a refusal for now is tried again, a final one is not", async () => {
  const { world, client, socket } = await online();
  const first = client.send("will", "hello", { msgid: "m1" });
  const second = client.send("nobody", "hello", { msgid: "m2" });
  socket.say({ type: 500, id: "m1", status: 503, params: { code: "overloaded", message: "later", temporary: true, msgid: "m1" } });
  socket.say({ type: 500, id: "m2", status: 404, params: { code: "unknown_user", message: "who?", temporary: false, msgid: "m2" } });
  assert.deepEqual([first.state, second.state, second.error.code], ["sending", "refused", "unknown_user"]);
  assert.equal(socket.of(1).length, 2);
  await world.pass(1600);
  assert.deepEqual(socket.of(1).map((frame) => frame.params.msgid), ["m1", "m2", "m1"]);
});

test("no answer for long means writing it again", async () => {
  const { world, client, socket } = await online();
  client.send("will", "hello", { msgid: "m1" });
  await world.pass(10_000);
  assert.equal(socket.of(1).length, 2);
});

test("a silent connection is asked, and given up without an answer", async () => {
  const { world, socket } = await online();
  await world.pass(30_000);
  assert.deepEqual(socket.of("20").length, 1);
  socket.say({ type: "pong" });
  await world.pass(29_000);
  assert.equal(socket.closed, false);
  await world.pass(12_000);
  assert.equal(socket.closed, true);
  assert.notEqual(await world.socket(), socket);
});

test("the network is back: no more waiting", async () => {
  const { world, socket } = await online();
  socket.end();
  await world.settle();
  assert.equal(world.sockets.length, 1);
  world.nudge();
  await world.settle();
  assert.equal(world.sockets.length, 2);
});

for (const [code, why] of [[1000, "closed"], [4403, "forbidden"], [4409, "replaced"], [4400, "bug"], [1009, "bug"]]) {
  test(`after ${code} it stays away until told otherwise`, async () => {
    const { world, client, socket } = await online();
    socket.end(code);
    await world.pass(120_000);
    assert.equal(world.sockets.length, 1);
    assert.deepEqual(client.connection, { state: "ended", why, code });
    client.start();
    await world.settle();
    assert.equal(world.sockets.length, 2);
  });
}

test("4410 waits as long as it is told", async () => {
  const { world, socket } = await online();
  socket.end(4410, '{"retryAfterMs":4000}');
  await world.pass(3999);
  assert.equal(world.sockets.length, 1);
  await world.pass(1);
  assert.equal(world.sockets.length, 2);
});

test("4401 fetches another token first", async () => {
  const { world, socket } = await online();
  await world.pass(6000);
  socket.end(4401);
  await world.pass(0);
  assert.deepEqual(world.tokens, [{ renew: false }, { renew: true }]);
  assert.equal(world.sockets.length, 2);
});

test("a handshake that fails: who we are decides", async () => {
  const world = new World();
  const client = world.client();
  world.answers["api/v1/me"] = { status: 401 };
  (await world.socket()).end();
  await world.pass(0);
  assert.deepEqual(world.requests, [{ path: "api/v1/me", token: "Bearer token-1" }]);
  assert.deepEqual(world.tokens, [{ renew: false }, { renew: true }]);
  (await world.socket()).end();
  await world.pass(60_000);
  assert.deepEqual(client.connection, { state: "ended", why: "signed_out", code: undefined });
  assert.equal(world.sockets.length, 2);
});

test("a server that is draining is left alone for as long as it asks", async () => {
  const world = new World();
  world.client();
  world.answers["api/v1/me"] = { status: 503, retryAfter: "4" };
  (await world.socket()).end();
  await world.pass(4499);
  assert.equal(world.sockets.length, 1);
  await world.pass(1);
  assert.equal(world.sockets.length, 2);
});

test("a server that is gone is tried with growing pauses", async () => {
  const world = new World();
  world.client();
  world.answers["api/v1/me"] = { status: 0 };
  const gaps = [];
  for (let n = 0; n < 4; n++) {
    (await world.socket()).end();
    await world.settle();
    const { retryAt } = world.of("connection").at(-1);
    gaps.push(retryAt - world.time);
    await world.pass(retryAt - world.time);
  }
  assert.deepEqual(gaps, [250, 500, 1000, 2000]);
});

test("nobody logged in ends it", async () => {
  const world = new World();
  const client = world.client({ token: async () => { throw Object.assign(new Error("log in"), { final: true }); } });
  await world.settle();
  assert.deepEqual([client.connection.why, world.sockets.length], ["signed_out", 0]);
});

test("what a dropped socket still says is not heard", async () => {
  const { world, client, socket } = await online();
  client.stop();
  socket.message(1);
  socket.end();
  await world.pass(60_000);
  assert.deepEqual(texts(world), []);
  assert.equal(world.sockets.length, 1);
});

test("a client that is stopped while it waits for a token or an answer stays stopped", async () => {
  const world = new World();
  const client = world.client();
  client.stop();
  await world.settle();
  assert.equal(world.sockets.length, 0);
  client.start();
  (await world.socket()).end();
  client.stop();
  await world.pass(60_000);
  assert.deepEqual([world.sockets.length, client.connection.state], [1, "ended"]);
});

test("logging out forgets", async () => {
  const { world, client } = await online();
  client.send("will", "hello");
  assert.equal(world.storage.size, 1);
  client.stop({ forget: true });
  assert.equal(world.storage.size, 0);
});

test("a storage that refuses costs no message", async () => {
  const storage = new FakeStorage();
  storage.setItem = () => { throw new Error("quota"); };
  const { world, client, socket } = await online({ storage });
  client.send("will", "hello");
  assert.equal(socket.of(1).length, 1);
  assert.ok(world.of("error").length > 0);
});

test("garbage from the server is told and survived", async () => {
  const { world, socket } = await online();
  socket.onmessage({ data: "{" });
  socket.message(1);
  assert.equal(world.of("error").length, 1);
  assert.deepEqual(texts(world), ["text 1"]);
});
