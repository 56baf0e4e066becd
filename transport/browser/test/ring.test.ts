import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../src/inbox.js";
import { Ring } from "../src/ring.js";

const RATE = 24000;
const frame = (n: number) => Uint8Array.of(n & 255, n >> 8);

function sent(ring: Ring): number[] {
  const seqs: number[] = [];
  for (let e = ring.peek(); e; e = ring.peek()) {
    seqs.push(e.seq);
    ring.advance();
  }
  return seqs;
}

test("a ring numbers from 1, keeps until acknowledged, and sends again from where it is told", () => {
  const ring = new Ring(RATE, 10 * RATE);
  for (let i = 0; i < 5; i++) ring.audio(frame(i), 480);
  assert.deepEqual(sent(ring), [1, 2, 3, 4, 5]);
  assert.equal(ring.held, 5 * 480);
  assert.equal(ring.ack(2), true);
  assert.equal(ring.held, 3 * 480);
  ring.rewind(4);
  assert.deepEqual(sent(ring), [4, 5]);
  ring.rewind(1);
  assert.deepEqual(sent(ring), [3, 4, 5], "what is acknowledged is gone");
  assert.equal(ring.ack(1), true, "going back is ignored");
  assert.equal(ring.ack(6), false, "a number that was never given out");
  assert.equal(ring.acked, 2);
});

test("what is sent again is what was sent", () => {
  const ring = new Ring(RATE, RATE);
  ring.audio(frame(7), 480);
  ring.push({ type: "text", text: "hello" });
  const first = JSON.stringify([ring.peek(), (ring.advance(), ring.peek())]);
  ring.rewind(1);
  assert.equal(JSON.stringify([ring.peek(), (ring.advance(), ring.peek())]), first);
});

test("a full ring leaves out the newest and says so, in its place", () => {
  const ring = new Ring(RATE, 4 * 480);
  for (let i = 0; i < 7; i++) ring.audio(frame(i), 480);
  assert.equal(ring.size, 4);
  assert.equal(ring.overflowed, 3 * 480);
  assert.equal(ring.held, 7 * 480, "what is missing is still owed");
  ring.ack(3);
  ring.audio(frame(8), 480);
  const kinds: string[] = [];
  for (let e = ring.peek(); e; ring.advance(), e = ring.peek()) kinds.push(`${e.seq} ${e.message.type} ${e.samples} at ${e.pos}`);
  assert.deepEqual(kinds, ["4 audio_chunk 480 at 1440", "5 gap 1440 at 1920", "6 audio_chunk 480 at 3360"]);
});

test("a long gap is said in parts of at most 120 s", () => {
  const ring = new Ring(RATE, RATE);
  ring.gap(250 * RATE, "muted");
  const parts: number[] = [];
  for (let e = ring.peek(); e; ring.advance(), e = ring.peek()) parts.push(e.samples / RATE);
  assert.deepEqual(parts, [120, 120, 10]);
});

test("refused audio becomes a gap with its number", () => {
  const ring = new Ring(RATE, RATE);
  ring.audio(frame(1), 480);
  ring.audio(frame(2), 480);
  assert.equal(ring.mend(1), true);
  assert.equal(ring.mend(9), false);
  assert.deepEqual(ring.peek()?.message, { type: "gap", samples: 480, reason: "overflow", seq: 1 });
});

test("another session gets what the last did not acknowledge, in order, and none of its orders", () => {
  const ring = new Ring(RATE, RATE);
  ring.audio(frame(1), 480);
  ring.audio(frame(2), 480);
  ring.push({ type: "session_control", action: "interrupt" });
  ring.push({ type: "text", text: "hello" });
  ring.push({ type: "session_control", action: "commit" });
  ring.push({ type: "session_control", action: "end" });
  ring.audio(frame(3), 480);
  sent(ring);
  ring.ack(1);
  ring.renumber(1);
  const told: string[] = [];
  for (let e = ring.peek(); e; ring.advance(), e = ring.peek()) {
    told.push(`${e.message.seq} ${e.message.type === "session_control" ? e.message.action : e.message.type} ${e.pos}`);
  }
  assert.deepEqual(told, ["1 audio_chunk 0", "2 text 480", "3 commit 480", "4 audio_chunk 480"]);
  assert.equal(ring.held, 960);
});

test("an inbox takes each message once, and says so after 16 or 250 ms", async () => {
  const acks: number[] = [];
  const inbox = new Inbox((seq) => acks.push(seq));
  for (let seq = 1; seq <= 16; seq++) assert.equal(inbox.take(seq), "new");
  assert.deepEqual(acks, [16]);
  assert.equal(inbox.take(16), "old");
  assert.equal(inbox.take(3), "old");
  assert.equal(inbox.take(18), "hole");
  assert.equal(inbox.last, 16);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(acks, [16, 16], "a doubled message is acknowledged again");
  inbox.take(17);
  inbox.flush();
  inbox.flush();
  assert.deepEqual(acks, [16, 16, 17]);
});
