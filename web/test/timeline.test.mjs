import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../assets/timeline.js";

const theirs = (seq, text = `their ${seq}`) => ({ seq, messageId: `id-${seq}`, msgid: `t${seq}`, mine: false, from: { openid: "will", userName: "Will" }, kind: "message", message: text, fileType: 0, at: seq });
const mine = (seq, msgid) => ({ ...theirs(seq, `my ${seq}`), msgid, mine: true, from: { openid: "rose", userName: "Rose" } });
const sending = (msgid, message = `my ${msgid}`) => ({ msgid, message, fileType: 0, at: 1, state: "sending", to: "will" });
const texts = (timeline) => timeline.messages.map((message) => message.message);

test("by position, whatever came first", () => {
  const timeline = new Timeline();
  for (const seq of [3, 1, 2, 2, 3]) timeline.put(theirs(seq));
  assert.deepEqual(timeline.messages.map((message) => message.seq), [1, 2, 3]);
  assert.deepEqual([timeline.oldest, timeline.newest], [1, 3]);
});

test("ours stand at the end until they have a position", () => {
  const timeline = new Timeline();
  timeline.put(theirs(1));
  const first = timeline.putOutgoing(sending("a"));
  timeline.putOutgoing(sending("b"));
  timeline.put(theirs(2));
  assert.deepEqual(texts(timeline), ["their 1", "their 2", "my a", "my b"]);
  timeline.putOutgoing({ ...sending("a"), state: "stored", seq: 3, messageId: "id-3" });
  timeline.put(theirs(4));
  assert.deepEqual(texts(timeline), ["their 1", "their 2", "my a", "their 4", "my b"]);
  assert.equal(timeline.messages[2], first);
  assert.equal(first.state, "stored");
});

test("history and queue are one message, in either order", () => {
  const timeline = new Timeline();
  timeline.putOutgoing(sending("a"));
  timeline.put(mine(5, "a"));
  timeline.putOutgoing({ ...sending("a"), state: "stored", seq: 5, messageId: "id-5" });
  timeline.put(mine(6, "b"));
  timeline.putOutgoing({ ...sending("b"), state: "stored", seq: 6, messageId: "id-6" });
  assert.deepEqual(timeline.messages.map((message) => [message.seq, message.state]), [[5, "stored"], [6, "stored"]]);
  assert.equal(texts(timeline)[1], "my 6");
});

test("somebody else's msgid is not ours", () => {
  const timeline = new Timeline();
  timeline.putOutgoing(sending("t1"));
  timeline.put(theirs(1));
  assert.equal(timeline.messages.length, 2);
});

test("each device's proof once; delivered stays delivered", () => {
  const timeline = new Timeline();
  timeline.put(mine(1, "a"));
  timeline.putOutgoing({ ...sending("a"), state: "stored", seq: 1, messageId: "id-1" });
  timeline.delivered({ messageId: "id-1", device: "web", at: 10 });
  timeline.delivered({ messageId: "id-1", device: "web", at: 10 });
  timeline.delivered({ messageId: "id-1", device: "phone", at: 20 });
  timeline.put(mine(1, "a"));
  const [message] = timeline.messages;
  assert.equal(message.state, "delivered");
  assert.deepEqual(message.devices, [{ device: "web", at: 10 }, { device: "phone", at: 20 }]);
});

test("a proof for what is not ours or not here changes nothing", () => {
  const timeline = new Timeline();
  timeline.put(theirs(1));
  assert.equal(timeline.delivered({ messageId: "id-1", device: "web", at: 1 }), null);
  assert.equal(timeline.delivered({ messageId: "id-9", device: "web", at: 1 }), null);
});

test("what was read stays read, also what comes later from history", () => {
  const timeline = new Timeline();
  timeline.put(mine(1, "a"));
  timeline.put(mine(3, "c"));
  timeline.readUpTo(2);
  timeline.readUpTo(1);
  timeline.put(mine(2, "b"));
  timeline.delivered({ messageId: "id-1", device: "web", at: 1 });
  assert.deepEqual(timeline.messages.map(({ state }) => state), ["read", "read", "stored"]);
  assert.equal(timeline.messages[0].devices.length, 1);
});

test("what will never be delivered says so, unless it was", () => {
  const timeline = new Timeline();
  timeline.put(mine(1, "a"));
  timeline.put(mine(2, "b"));
  timeline.delivered({ messageId: "id-1", device: "web", at: 1 });
  timeline.gone(["id-1", "id-2", "id-9"]);
  assert.deepEqual(timeline.messages.map(({ state }) => state), ["delivered", "gone"]);
});

test("what was refused may be sent again", () => {
  const timeline = new Timeline();
  const message = timeline.putOutgoing({ ...sending("a"), state: "refused", error: { code: "forbidden", message: "no" } });
  timeline.putOutgoing(sending("a"));
  assert.deepEqual([message.state, message.error], ["sending", undefined]);
});

test("a recall takes the text and leaves the place", () => {
  const timeline = new Timeline();
  timeline.put(theirs(1));
  timeline.recalled("id-1");
  assert.deepEqual([timeline.messages[0].kind, timeline.messages[0].message], ["recalled", ""]);
  timeline.put(theirs(1));
  assert.equal(timeline.messages[0].message, "", "a page of history that was asked for before does not bring it back");
});

test("it can be cut to the newest", () => {
  const timeline = new Timeline();
  for (const seq of [1, 2, 3]) timeline.put(theirs(seq));
  assert.equal(timeline.trim(3), false);
  assert.equal(timeline.trim(2), true);
  assert.equal(timeline.oldest, 2);
});
