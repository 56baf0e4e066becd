import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Emitter } from "../src/emitter.js";
import { fullJitter } from "../src/link.js";
import { Pulse } from "../src/pulse.js";

function rig(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"] });
  const told: string[] = [];
  const pulse = new Pulse(
    () => true,
    () => told.push("ping"),
    (why) => told.push(why),
    () => told.push("woke"),
  );
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i++) t.mock.timers.tick(1000);
  };
  return { pulse, told, pass };
}

test("a socket is asked every five seconds, and lost after 25 of silence", (t) => {
  const { pulse, told, pass } = rig(t);
  pulse.beat();
  pass(15);
  assert.deepEqual(told, ["ping", "ping", "ping", "ping"]);
  pulse.heard();
  pass(25);
  assert.ok(!told.includes("silence"));
  pass(1);
  assert.equal(told.at(-1), "silence");
  pulse.stop();
});

test("asked in a hurry, it has three seconds", (t) => {
  const { pulse, told, pass } = rig(t);
  pulse.probe();
  pulse.probe();
  pass(1);
  pulse.heard();
  pass(3);
  assert.deepEqual(told, ["ping"]);
  pulse.probe();
  pass(3);
  assert.equal(told.at(-1), "no answer");
  pulse.stop();
});

test("a machine that slept is noticed when it wakes", (t) => {
  const { pulse, told, pass } = rig(t);
  pass(2);
  t.mock.timers.setTime(Date.now() + 3_600_000);
  pass(1);
  assert.ok(told.includes("woke"));
  pulse.stop();
});

test("attempts are spread over the whole of a delay that doubles", () => {
  const most = (n: number) => fullJitter(n, () => 1);
  assert.deepEqual([0, 1, 2, 3, 99].map(most), [300, 600, 1200, 2400, 10_000]);
  assert.equal(fullJitter(5, () => 0), 0);
});

class Bell extends Emitter<{ ring: number }> {
  ring(n: number): void {
    this.emit("ring", n);
  }

  override close(): void {
    super.close();
  }
}

test("events can be awaited, and a listener's error hurts nobody else", async (t) => {
  t.mock.method(console, "error", () => {});
  const bell = new Bell();
  const heard: number[] = [];
  bell.on("ring", () => {
    throw new Error("a page's bug");
  });
  const off = bell.on("ring", (n) => heard.push(n));
  const stream = bell.stream("ring");
  const next = bell.once("ring");
  bell.ring(1);
  off();
  bell.ring(2);
  bell.close();
  assert.equal(await next, 1);
  assert.deepEqual(heard, [1]);
  const streamed: number[] = [];
  for await (const n of stream) streamed.push(n);
  assert.deepEqual(streamed, [1, 2], "what was said before the loop, too; and it ends");
});
