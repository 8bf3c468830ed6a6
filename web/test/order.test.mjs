import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../assets/order.js";

const room = "00000000000000a1";
const at = (seq, prevSeq = seq - 1) => ({ conversationId: room, seq, prevSeq });
const seqs = (records) => records.map((record) => record.seq);

test("records pass once and in order", () => {
  const inbox = new Inbox();
  assert.deepEqual(seqs(inbox.take(at(1)).ready), [1]);
  assert.deepEqual(seqs(inbox.take(at(2)).ready), [2]);
  const again = inbox.take(at(1));
  assert.deepEqual([again.ready, again.repeat], [[], true]);
});

test("what was never due is no gap", () => {
  const inbox = new Inbox();
  inbox.take(at(1));
  const later = inbox.take(at(9, 1));
  assert.deepEqual([seqs(later.ready), later.gap], [[9], null]);
});

test("the first record of a conversation is where we stand", () => {
  const inbox = new Inbox();
  assert.deepEqual(seqs(inbox.take(at(40, 38)).ready), [40]);
  assert.equal(inbox.take(at(38)).repeat, true);
});

test("a record whose predecessor is missing waits for it", () => {
  const inbox = new Inbox();
  inbox.take(at(1));
  const early = inbox.take(at(3));
  assert.deepEqual(early.ready, []);
  assert.deepEqual(early.gap, { conversationId: room, after: 1, before: 3 });
  assert.deepEqual(inbox.take(at(5)).gap, { conversationId: room, after: 1, before: 3 });
  assert.deepEqual(seqs(inbox.take(at(2)).ready), [2, 3]);
  assert.deepEqual(seqs(inbox.take(at(4)).ready), [4, 5]);
  assert.equal(inbox.gap(room), null);
});

test("history closes a gap, over positions that hold nothing", () => {
  const inbox = new Inbox();
  inbox.take(at(1));
  inbox.take(at(6));
  const filled = inbox.fill(room, [at(2), { seq: 3, passed: true }, at(4), { seq: 5, passed: true }]);
  assert.deepEqual([seqs(filled.ready), filled.gap], [[2, 4, 6], null]);
});

test("history that does not reach far enough leaves the gap open", () => {
  const inbox = new Inbox();
  inbox.take(at(1));
  inbox.take(at(9));
  assert.deepEqual(inbox.fill(room, [at(2), at(3)]).gap, { conversationId: room, after: 3, before: 9 });
});

test("a stretch of history that overlaps shows nothing twice", () => {
  const inbox = new Inbox();
  inbox.take(at(1));
  inbox.take(at(3));
  assert.deepEqual(seqs(inbox.fill(room, [at(1), at(2), at(3)]).ready), [2, 3]);
});

test("only what was handed out and shown is marked", () => {
  const inbox = new Inbox();
  inbox.take(at(1));
  inbox.take(at(2));
  assert.deepEqual(inbox.marks(), {});
  assert.equal(inbox.shown(room, 1), 1);
  assert.equal(inbox.shown(room, 7), 2, "a position that never came cannot be acknowledged");
  assert.equal(inbox.shown("00000000000000b2", 3), 0);
  assert.deepEqual(inbox.marks(), { [room]: 2 });
});

test("marks of an earlier page stop repeats", () => {
  const inbox = new Inbox({ marks: { [room]: 4 } });
  assert.equal(inbox.take(at(4)).repeat, true);
  assert.deepEqual(seqs(inbox.take(at(5)).ready), [5]);
  assert.deepEqual(inbox.take(at(8)).gap, { conversationId: room, after: 5, before: 8 });
});

test("marks keep the conversations that moved last", () => {
  const inbox = new Inbox();
  for (let n = 1; n <= 5; n++) {
    inbox.take({ conversationId: `c${n}`, seq: 1, prevSeq: 0 });
    inbox.shown(`c${n}`, 1);
  }
  inbox.take({ conversationId: "c1", seq: 2, prevSeq: 1 });
  assert.deepEqual(Object.keys(inbox.marks(2)), ["c5", "c1"]);
});

test("what is held back is bounded, and forgetting it loses nothing", () => {
  const inbox = new Inbox({ hold: 2 });
  inbox.take(at(1));
  for (const seq of [3, 4, 5]) inbox.take(at(seq));
  assert.deepEqual(seqs(inbox.take(at(2)).ready), [2, 3, 4]);
  assert.deepEqual(seqs(inbox.take(at(5)).ready), [5]);
});

test("any arrival order, with repeats, shows each once and in order", () => {
  for (let run = 0; run < 200; run++) {
    const inbox = new Inbox();
    const shown = seqs(inbox.take(at(1)).ready);
    const coming = Array.from({ length: 40 }, () => 2 + Math.floor(Math.random() * 20));
    for (const seq of coming) shown.push(...seqs(inbox.take(at(seq)).ready));
    for (let seq = 2; seq <= 21; seq++) shown.push(...seqs(inbox.take(at(seq)).ready));
    assert.deepEqual(shown, Array.from({ length: 21 }, (_, n) => n + 1));
  }
});
