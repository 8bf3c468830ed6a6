import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../assets/timeline.js";

const theirs = (seq, text = `their ${seq}`) => ({ seq, messageId: `id-${seq}`, msgid: `t${seq}`, mine: false, from: { openid: "will", name: "Will" }, kind: "message", text, fileType: 0, at: seq });
const mine = (seq, msgid) => ({ ...theirs(seq, `my ${seq}`), msgid, mine: true, from: { openid: "rose", name: "Rose" } });
const sending = (msgid, text = `my ${msgid}`) => ({ msgid, text, fileType: 0, at: 1, state: "sending", to: "will" });
const texts = (timeline) => timeline.messages.map((message) => message.text);

test("by position, whatever came first", () => {
  const timeline = new Timeline();
  for (const seq of [3, 1, 2, 2, 3]) timeline.put(theirs(seq));
  assert.deepEqual(timeline.messages.map((message) => message.seq), [1, 2, 3]);
  assert.deepEqual([timeline.oldest, timeline.newest], [1, 3]);
});

test("ours stand at the end until they have a position", () => {
  const timeline = new Timeline();
  timeline.put(theirs(1));
  const first = timeline.putEntry(sending("a"));
  timeline.putEntry(sending("b"));
  timeline.put(theirs(2));
  assert.deepEqual(texts(timeline), ["their 1", "their 2", "my a", "my b"]);
  timeline.putEntry({ ...sending("a"), state: "stored", seq: 3, messageId: "id-3" });
  timeline.put(theirs(4));
  assert.deepEqual(texts(timeline), ["their 1", "their 2", "my a", "their 4", "my b"]);
  assert.equal(timeline.messages[2], first);
  assert.equal(first.state, "stored");
});

test("history and outbox are one message, in either order", () => {
  const timeline = new Timeline();
  timeline.putEntry(sending("a"));
  timeline.put(mine(5, "a"));
  timeline.putEntry({ ...sending("a"), state: "stored", seq: 5, messageId: "id-5" });
  timeline.put(mine(6, "b"));
  timeline.putEntry({ ...sending("b"), text: "", state: "stored", seq: 6, messageId: "id-6" });
  assert.deepEqual(timeline.messages.map((message) => [message.seq, message.state]), [[5, "stored"], [6, "stored"]]);
  assert.equal(texts(timeline)[1], "my 6");
});

test("somebody else's msgid is not ours", () => {
  const timeline = new Timeline();
  timeline.putEntry(sending("t1"));
  timeline.put(theirs(1));
  assert.equal(timeline.messages.length, 2);
});

test("each device's proof once; delivered stays delivered", () => {
  const timeline = new Timeline();
  timeline.put(mine(1, "a"));
  timeline.putEntry({ ...sending("a"), state: "delivered", seq: 1, messageId: "id-1", device: "web", deliveredAt: 10 });
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

test("a watched entry without text adds nothing", () => {
  const timeline = new Timeline();
  assert.equal(timeline.putEntry({ ...sending("a"), text: "", state: "stored", seq: 1 }), null);
  assert.deepEqual(timeline.messages, []);
});

test("a recall takes the text and leaves the place", () => {
  const timeline = new Timeline();
  timeline.put(theirs(1));
  timeline.recalled("id-1");
  assert.deepEqual([timeline.messages[0].kind, timeline.messages[0].text], ["recalled", ""]);
});

test("it can be cut to the newest", () => {
  const timeline = new Timeline();
  for (const seq of [1, 2, 3]) timeline.put(theirs(seq));
  assert.equal(timeline.trim(3), false);
  assert.equal(timeline.trim(2), true);
  assert.equal(timeline.oldest, 2);
});
