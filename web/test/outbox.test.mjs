import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox, OutboxFull } from "../assets/outbox.js";

const draft = (msgid, to = "will") => ({ msgid, to, text: `text of ${msgid}`, at: 1000 });
const ids = (entries) => entries.map((entry) => entry.msgid);
const stored = (seq) => ({ messageId: `id-${seq}`, conversationId: "a1", seq, at: 2000 + seq });

test("an entry goes from sending over stored to delivered", () => {
  const outbox = new Outbox();
  const entry = outbox.add(draft("m1"));
  assert.equal(entry.state, "sending");
  assert.deepEqual(ids(outbox.take(0)), ["m1"]);
  outbox.accepted("m1", stored(1));
  assert.deepEqual([entry.state, entry.messageId, entry.seq], ["stored", "id-1", 1]);
  assert.deepEqual(outbox.pending(), ["id-1"]);
  outbox.delivered({ messageId: "id-1", device: "web", at: 3000 });
  assert.deepEqual([entry.state, entry.device, entry.deliveredAt], ["delivered", "web", 3000]);
  assert.deepEqual(outbox.toJSON(), []);
});

test("the same msgid is one message", () => {
  const outbox = new Outbox();
  assert.equal(outbox.add(draft("m1")), outbox.add(draft("m1")));
  assert.deepEqual(ids(outbox.take(0)), ["m1"]);
});

test("to one person one message at a time, to others at once", () => {
  const outbox = new Outbox();
  for (const [msgid, to] of [["m1", "will"], ["m2", "will"], ["m3", "anna"]]) outbox.add(draft(msgid, to));
  assert.deepEqual(ids(outbox.take(0)), ["m1", "m3"]);
  assert.deepEqual(ids(outbox.take(1)), []);
  outbox.accepted("m1", stored(1));
  assert.deepEqual(ids(outbox.take(2)), ["m2"]);
});

test("what has no answer is written again, in order and under its msgid", () => {
  const outbox = new Outbox();
  for (const msgid of ["m1", "m2"]) outbox.add(draft(msgid));
  outbox.take(0, 10_000);
  assert.equal(outbox.due(), 10_000);
  assert.deepEqual(ids(outbox.take(9_999)), []);
  assert.deepEqual(ids(outbox.take(10_000)), ["m1"]);
  outbox.lost();
  assert.deepEqual(ids(outbox.take(10_001)), ["m1"]);
});

test("a temporary refusal keeps the place in the queue", () => {
  const outbox = new Outbox();
  const first = outbox.add(draft("m1"));
  outbox.add(draft("m2"));
  outbox.take(0);
  outbox.refused("m1", { code: "overloaded", message: "later", temporary: true }, 700);
  assert.deepEqual([first.state, first.error.code], ["sending", "overloaded"]);
  assert.deepEqual(ids(outbox.take(699)), []);
  assert.deepEqual(ids(outbox.take(700)), ["m1"]);
  outbox.accepted("m1", stored(1));
  assert.equal(first.error, undefined);
});

test("a final refusal lets the next one go", () => {
  const outbox = new Outbox();
  const first = outbox.add(draft("m1"));
  outbox.add(draft("m2"));
  outbox.take(0);
  outbox.refused("m1", { code: "unknown_user", message: "who?", temporary: false });
  assert.equal(first.state, "refused");
  assert.deepEqual(ids(outbox.take(1)), ["m2"]);
});

test("a proof may overtake the answer", () => {
  const outbox = new Outbox();
  const entry = outbox.add(draft("m1"));
  outbox.take(0);
  outbox.delivered({ msgid: "m1", messageId: "id-1", device: "web", at: 3000 });
  assert.equal(entry.state, "delivered");
  assert.equal(outbox.accepted("m1", stored(1)), null);
  assert.equal(outbox.due(), undefined);
});

test("a second proof and one of another message change nothing", () => {
  const outbox = new Outbox();
  const entry = outbox.add(draft("m1"));
  outbox.accepted("m1", stored(1));
  assert.equal(outbox.delivered({ msgid: "m1", messageId: "id-9", device: "web", at: 1 }), null);
  assert.equal(entry.state, "stored");
  assert.equal(outbox.delivered({ messageId: "id-1", device: "web", at: 2 }), entry);
  assert.equal(outbox.delivered({ messageId: "id-1", device: "phone", at: 3 }), null);
  assert.equal(entry.device, "web");
});

test("a late answer does not undo a delivery, nor a repeat a state", () => {
  const outbox = new Outbox();
  const entry = outbox.add(draft("m1"));
  outbox.accepted("m1", stored(1));
  assert.equal(outbox.accepted("m1", stored(2)), null);
  assert.equal(entry.seq, 1);
});

test("gone ends the waiting", () => {
  const outbox = new Outbox();
  const entry = outbox.add(draft("m1"));
  outbox.accepted("m1", stored(1));
  assert.deepEqual(outbox.gone(["id-1", "id-7"]), [entry]);
  assert.deepEqual([entry.state, outbox.pending()], ["gone", []]);
});

test("it outlives the page without the text of what is stored", () => {
  const outbox = new Outbox();
  for (const msgid of ["m1", "m2"]) outbox.add(draft(msgid));
  outbox.take(0);
  outbox.accepted("m1", stored(1));
  const kept = JSON.parse(JSON.stringify(outbox));
  assert.deepEqual(kept.map((entry) => entry.text), ["", "text of m2"]);
  const next = new Outbox({ entries: kept });
  assert.deepEqual(ids(next.take(0)), ["m2"]);
  assert.deepEqual(next.pending(), ["id-1"]);
});

test("it is bounded on both sides", () => {
  const outbox = new Outbox({ limit: 2 });
  for (const msgid of ["m1", "m2"]) outbox.add(draft(msgid));
  assert.throws(() => outbox.add(draft("m3")), OutboxFull);
  outbox.accepted("m1", stored(1));
  outbox.accepted("m2", stored(2));
  outbox.add(draft("m3"));
  outbox.accepted("m3", stored(3));
  assert.deepEqual(outbox.pending(), ["id-2", "id-3"]);
});

test("after a restore of the ledger the unsent stay and the stored go", () => {
  const outbox = new Outbox();
  for (const msgid of ["m1", "m2"]) outbox.add(draft(msgid));
  outbox.accepted("m1", stored(1));
  outbox.forgetStored();
  assert.deepEqual([outbox.pending(), ids(outbox.unsent())], [[], ["m2"]]);
});

test("messages of an earlier page can be watched", () => {
  const outbox = new Outbox();
  outbox.watch({ messageId: "id-1", msgid: "", conversationId: "a1", seq: 1, to: "will", at: 5 });
  outbox.watch({ messageId: "id-1", msgid: "", conversationId: "a1", seq: 1, to: "will", at: 5 });
  assert.deepEqual(outbox.pending(), ["id-1"]);
  assert.equal(outbox.delivered({ messageId: "id-1", device: "web", at: 9 }).state, "delivered");
});
