// When it connects, comes back, stays away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.mjs";

test("connects below its base, with the token in the subprotocol and not in the URL", async () => {
  const world = new World();
  const { link, socket } = await world.online({ device: "~tab 2" });
  assert.equal(socket.url, "ws://host.test/im/ws?v=1&device=~tab%202");
  assert.deepEqual(socket.protocols, ["yanlink.v1", `yanlink.token.${Buffer.from("token-1").toString("base64url")}`]);
  assert.deepEqual(socket.of(28), [{ conversations: {}, pending: [] }]);
  assert.deepEqual(link.of("connection").map((c) => c.state), ["connecting", "online"]);
});

test("a silent connection is asked, and given up without an answer", async () => {
  const world = new World();
  const { socket } = await world.online();
  await world.pass(30_000);
  assert.equal(socket.sent.filter(({ type }) => type === "20").length, 1);
  socket.say({ type: "pong" });
  await world.pass(29_000);
  assert.equal(socket.closed, false);
  await world.pass(12_000);
  assert.equal(socket.closed, true);
  assert.notEqual(await world.socket(), socket);
});

test("a socket that never says hello is given up", async () => {
  const world = new World();
  world.link();
  const socket = await world.socket();
  socket.onopen();
  await world.pass(11_000);
  assert.equal(socket.closed, true);
  assert.equal(world.sockets.length, 2);
});

test("retryNow does not wait any longer", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.end();
  await world.settle();
  assert.equal(world.sockets.length, 1);
  link.retryNow();
  await world.settle();
  assert.equal(world.sockets.length, 2);
});

for (const [code, why] of [[1000, "closed"], [1001, "closed"], [4403, "forbidden"], [4409, "replaced"], [4400, "bug"], [1007, "bug"], [1009, "bug"]]) {
  test(`after ${code} it stays away until told otherwise`, async () => {
    const world = new World();
    const { link, socket } = await world.online();
    socket.end(code, "in words");
    await world.pass(60_000);
    assert.equal(world.sockets.length, 1);
    assert.deepEqual(link.connection, { state: "ended", why, code, reason: "in words" });
    link.start();
    await world.settle();
    assert.equal(world.sockets.length, 2);
  });
}

for (const code of [1011, 1013, 4410]) {
  test(`after ${code} it waits as long as it is told`, async () => {
    const world = new World();
    const { socket } = await world.online();
    socket.end(code, '{"retryAfterMs":4000}');
    await world.pass(3999);
    assert.equal(world.sockets.length, 1);
    await world.pass(1);
    assert.equal(world.sockets.length, 2);
  });
}

test("after 1012 it comes back at once, but not in a circle", async () => {
  const world = new World();
  const { socket } = await world.online();
  await world.pass(6000);
  socket.end(1012);
  await world.pass(1);
  const next = await world.socket();
  assert.notEqual(next, socket);
  next.hello();
  next.end(1012);
  await world.pass(100);
  assert.equal(world.sockets.length, 2);
});

test("1006: growing pauses up to a ceiling, any time below it", async () => {
  const world = new World();
  const link = world.link();
  world.answers["api/v1/me"] = { status: 0 };
  const gaps = [];
  for (let n = 0; n < 8; n++) {
    (await world.socket()).end();
    await world.settle();
    const pause = link.of("connection").at(-1).retryAt - Date.now();
    gaps.push(pause);
    await world.pass(pause);
  }
  assert.deepEqual(gaps, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("4401 fetches another token first", async () => {
  const world = new World();
  const { socket } = await world.online();
  await world.pass(6000);
  socket.end(4401);
  await world.pass(1);
  assert.deepEqual(world.tokens, [{ renew: false }, { renew: true }]);
  assert.equal(world.sockets.length, 2);
});

test("a token that says how long it lives is renewed on the open connection", async () => {
  const world = new World();
  let count = 0;
  const { link, socket } = await world.online({ token: async () => ({ token: `token-${++count}`, expiresIn: 100 }) });
  for (let n = 0; n < 9; n++) {
    await world.pass(10_000);
    socket.say({ type: "pong" });
  }
  const renewals = socket.sent.filter(({ type }) => type === 22);
  assert.deepEqual(renewals[0].params, { token: "token-2" });
  socket.say({ type: 22, id: renewals[0].id, status: 200 });
  await world.settle();
  assert.deepEqual(link.of("error"), []);
  assert.equal(world.sockets.length, 1);
});

/** A renewal under way on an open connection, and how it ended. */
async function renewing(options) {
  const world = new World();
  const { link, socket } = await world.online(options);
  await world.pass(6000);
  const renewal = { settled: "" };
  link.renew().then(() => { renewal.settled = "done"; }, (error) => { renewal.settled = error.code; });
  await world.settle();
  assert.equal(socket.of(22).length, 1);
  return { world, link, socket, renewal };
}

for (const code of [4401, 1006, 1012]) {
  test(`a token that is shown when the connection ends with ${code} is not shown on the next one`, async () => {
    const { world, socket, renewal } = await renewing();
    socket.end(code);
    await world.pass(1000);
    const next = await world.socket();
    assert.notEqual(next, socket);
    assert.equal(renewal.settled, "");
    assert.deepEqual(next.protocols[1], `yanlink.token.${Buffer.from("token-3").toString("base64url")}`);
    next.hello();
    await world.pass(15_000);
    assert.deepEqual(next.of(22), []);
    assert.equal(renewal.settled, "done");
    assert.equal(world.sockets.length, 2);
  });
}

test("a token is not shown twice on one connection either", async () => {
  const { world, socket, renewal } = await renewing();
  await world.pass(25_000);
  assert.equal(socket.of(22).length, 1);
  socket.say({ type: 22, id: socket.sent.find(({ type }) => type === 22).id, status: 200 });
  await world.settle();
  assert.equal(renewal.settled, "done");
});

test("a token that is asked for while the handshake is under way is shown after it", async () => {
  const world = new World();
  const link = world.link();
  const socket = await world.socket();
  const renewed = link.renew();
  await world.settle();
  socket.hello();
  assert.deepEqual(socket.of(22), [{ token: "token-2" }]);
  socket.say({ type: 22, id: socket.sent.find(({ type }) => type === 22).id, status: 200 });
  await renewed;
});

test("one that is asked for before the handshake is overtaken by it", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.end();
  const renewed = link.renew();
  await world.pass(1000);
  const next = await world.socket();
  next.hello();
  await renewed;
  assert.deepEqual([...socket.of(22), ...next.of(22)], []);
});

test("a renewal ends with the last connection", async () => {
  let gone = false;
  const token = async () => { if (gone) throw Object.assign(new Error("log in"), { final: true }); return "a token"; };
  const { world, link, socket, renewal } = await renewing({ token });
  gone = true;
  socket.end(4401);
  await world.pass(1000);
  assert.deepEqual([link.connection.why, renewal.settled], ["signed_out", "closed"]);
  gone = false;
  await assert.rejects(link.renew(), { code: "closed" });

  const other = await renewing();
  await other.link.close();
  await other.world.settle();
  assert.equal(other.renewal.settled, "closed");
});

test("a handshake that fails: who we are decides", async () => {
  const world = new World();
  const link = world.link();
  world.answers["api/v1/me"] = { status: 401 };
  (await world.socket()).end();
  await world.pass(1);
  assert.deepEqual(world.requests, [{ path: "api/v1/me", token: "Bearer token-1", credentials: undefined }]);
  assert.deepEqual(world.tokens, [{ renew: false }, { renew: true }]);
  (await world.socket()).end();
  await world.pass(60_000);
  assert.deepEqual(link.connection, { state: "ended", why: "signed_out", code: undefined, reason: undefined });
  assert.equal(world.sockets.length, 2);
});

test("who is banned stays away", async () => {
  const world = new World();
  const link = world.link();
  world.answers["api/v1/me"] = { status: 403 };
  (await world.socket()).end();
  await world.pass(60_000);
  assert.deepEqual([link.connection.why, world.sockets.length], ["forbidden", 1]);
});

test("a server that is draining is left alone for as long as it asks", async () => {
  const world = new World();
  world.link();
  world.answers["api/v1/me"] = { status: 503, retryAfter: "4" };
  (await world.socket()).end();
  await world.pass(4499);
  assert.equal(world.sockets.length, 1);
  await world.pass(1);
  assert.equal(world.sockets.length, 2);
});

test("nobody logged in ends it; a token that cannot be had now does not", async () => {
  const world = new World();
  const link = world.link({ token: async () => { throw Object.assign(new Error("log in"), { final: true }); } });
  await world.settle();
  assert.deepEqual([link.connection.why, world.sockets.length], ["signed_out", 0]);

  let down = true;
  world.link({ token: async () => { if (down) throw new Error("later"); return "a token"; } });
  await world.pass(100);
  down = false;
  await world.pass(1000);
  assert.equal(world.sockets.length, 1);
});

test("a token of somebody else sends nothing", async () => {
  const world = new World();
  const link = world.link();
  link.send("will", "hello").catch(() => {});
  const socket = await world.socket();
  socket.hello({ openid: "will" });
  await world.settle();
  assert.deepEqual([link.connection.why, socket.sent, socket.closed], ["identity_mismatch", [], true]);
});

test("what a dropped socket still says is not heard", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  await link.close();
  socket.message(1);
  socket.end();
  await world.pass(60_000);
  assert.deepEqual(link.of("message"), []);
  assert.equal(world.sockets.length, 1);
});

test("a link that is closed while it waits for a token or an answer stays closed", async () => {
  const world = new World();
  const link = world.link();
  await link.close();
  await world.pass(1000);
  assert.equal(world.sockets.length, 0);

  const other = world.link();
  (await world.socket()).end();
  await other.close();
  await world.pass(60_000);
  assert.deepEqual([world.sockets.length, other.connection.state], [1, "ended"]);
});

test("a link that is closed while it renews asks for no more tokens", async () => {
  const world = new World();
  const token = async (how) => { world.tokens.push(how); return { token: "a token", expiresIn: 60 }; };
  const { link } = await world.online({ token });
  const renewal = assert.rejects(link.renew(), { code: "closed" });
  await link.close();
  await renewal;
  await world.pass(120_000);
  assert.deepEqual(world.tokens, [{ renew: false }, { renew: true }]);
});

test("garbage from the server is told and survived", async () => {
  const world = new World();
  const { link, socket } = await world.online();
  socket.onmessage({ data: "{" });
  socket.message(1);
  await world.settle();
  assert.equal(link.of("error").length, 1);
  assert.equal(link.of("message").length, 1);
});

test("REST goes with the token, and asks for another one once", async () => {
  const world = new World();
  const { link } = await world.online();
  world.answers["api/v1/conversations?with=will"] = { body: { items: [], next: "" } };
  assert.deepEqual(await link.rest("GET", "conversations", { query: { with: "will", cursor: undefined } }), { items: [], next: "" });
  assert.equal(world.requests[0].token, "Bearer token-1");

  world.answers["api/v1/me"] = { status: 401, body: { error: { code: "unauthorized", message: "no" } } };
  await assert.rejects(link.rest("GET", "me"), { name: "YanlinkError", code: "unauthorized", status: 401 });
  assert.deepEqual(world.requests.slice(1).map(({ token }) => token), ["Bearer token-1", "Bearer token-2"]);
  world.answers["api/v1/me"] = { status: 0 };
  await assert.rejects(link.rest("GET", "me"), { code: "unreachable", temporary: true });
});

test("calls that are refused together ask for one token", async () => {
  const world = new World();
  const { link } = await world.online();
  world.answers["api/v1/me"] = { status: 401, body: { error: { code: "unauthorized", message: "no" } } };
  await Promise.all([1, 2, 3].map(() => assert.rejects(link.rest("GET", "me"), { code: "unauthorized" })));
  assert.deepEqual(world.tokens, [{ renew: false }, { renew: true }]);
  assert.deepEqual(world.requests.map(({ token }) => token), [...Array(3).fill("Bearer token-1"), ...Array(3).fill("Bearer token-2")]);
});

test("a call before the first connection asks for another token, too", async () => {
  const world = new World();
  const link = world.link({ token: async ({ renew }) => { world.tokens.push({ renew }); return `token-${world.tokens.length}`; }, share: false });
  world.answers["api/v1/me"] = { status: 401, body: { error: { code: "unauthorized", message: "no" } } };
  await assert.rejects(link.rest("GET", "me"), { code: "unauthorized" });
  assert.equal(world.tokens.at(-1).renew, true);
});

test("an empty token is left to a cookie", async () => {
  const world = new World();
  const { link, socket } = await world.online({ token: async () => "" });
  assert.deepEqual(socket.protocols, ["yanlink.v1"]);
  world.answers["api/v1/nodes"] = { body: {} };
  await link.rest("GET", "nodes");
  assert.deepEqual(world.requests.at(-1), { path: "api/v1/nodes", token: undefined, credentials: "include" });
  await link.renew();
  assert.deepEqual(socket.of(22), [], "there is nothing to show");
});

test("a token that does not come is asked for again", async () => {
  const world = new World();
  let asked = 0;
  const link = world.link({ token: () => (++asked === 1 ? new Promise(() => {}) : `token-${asked}`) });
  await world.pass(59_000);
  assert.deepEqual([asked, link.connection.state], [1, "connecting"]);
  await world.pass(3_000);
  assert.equal(asked, 2);
  (await world.socket()).hello();
  await world.settle();
  assert.equal(link.connection.state, "online");
});
