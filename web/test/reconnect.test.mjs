import assert from "node:assert/strict";
import { test } from "node:test";
import { afterClose, afterRefusal, backoff } from "../assets/reconnect.js";

const most = () => 0.999999;

test("backoff is full jitter under a doubling, bounded ceiling", () => {
  assert.equal(backoff(0, () => 0), 0);
  assert.deepEqual([0, 1, 2, 3].map((n) => backoff(n, most)), [500, 1000, 2000, 4000]);
  assert.equal(backoff(50, most), 20_000);
  assert.equal(backoff(2, () => 0.5), 1000);
});

for (const [code, then] of [
  [1000, "stay"], [1001, "stay"], [4403, "stay"], [4409, "stay"],
  [1007, "bug"], [1009, "bug"], [4400, "bug"],
  [4401, "token"],
  [1005, "retry"], [1006, "retry"], [1011, "retry"], [1012, "retry"], [1013, "retry"], [4408, "retry"], [4410, "retry"], [4999, "retry"],
]) {
  test(`close code ${code}: ${then}`, () => assert.equal(afterClose(code, "", 0).then, then));
}

test("a restart is followed at once, but not in a circle", () => {
  assert.equal(afterClose(1012, "", 0, most).delay, 0);
  assert.equal(afterClose(1012, "", 2, most).delay, 2000);
});

test("a hint is obeyed to the letter where the table says so", () => {
  for (const code of [1011, 1013, 4410]) assert.equal(afterClose(code, '{"retryAfterMs":4200}', 0, most).delay, 4200);
  assert.equal(afterClose(1006, '{"retryAfterMs":4200}', 0, most).delay, 500);
  for (const reason of ["", "later", '{"retryAfterMs":"soon"}', '{"retryAfterMs":-1}', "null"]) {
    assert.equal(afterClose(4410, reason, 1, most).delay, 1000, reason);
  }
});

test("a refused handshake: who we are decides", () => {
  assert.equal(afterRefusal(401, undefined, false, 0).then, "token");
  assert.equal(afterRefusal(401, undefined, true, 0).then, "stay", "a new token that is refused too");
  assert.equal(afterRefusal(403, undefined, false, 0).then, "stay");
  assert.deepEqual(afterRefusal(429, 2, false, 0, () => 0), { then: "retry", delay: 2000 });
  assert.deepEqual(afterRefusal(503, 2, false, 0, most), { then: "retry", delay: 2500 });
  assert.deepEqual(afterRefusal(0, undefined, false, 3, most), { then: "retry", delay: 4000 });
  assert.deepEqual(afterRefusal(200, undefined, false, 0, most), { then: "retry", delay: 500 });
});
