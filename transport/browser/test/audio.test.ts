// What runs on the audio thread: the resampler and the jitter buffer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Jitter, type Finished } from "../src/jitter.js";
import { Resampler } from "../src/resampler.js";

function sine(rate: number, hz: number, seconds: number, amplitude = 0.8): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rate));
}

function resample(input: Float32Array, from: number, to: number, block = 128): Float32Array {
  const r = new Resampler(from, to);
  const out = new Float32Array(r.most(input.length) + input.length);
  let n = 0;
  for (let i = 0; i < input.length; i += block) n += r.process(input.subarray(i, i + block), out.subarray(n));
  return out.subarray(0, n);
}

// snr fits a sine of this frequency to the signal's middle and gives the ratio of the fit to the rest, in dB.
function snr(signal: Float32Array, rate: number, hz: number): number {
  const middle = signal.subarray(rate / 10, signal.length - rate / 10);
  let [ss, sc, cc, xs, xc] = [0, 0, 0, 0, 0];
  middle.forEach((x, i) => {
    const s = Math.sin((2 * Math.PI * hz * i) / rate);
    const c = Math.cos((2 * Math.PI * hz * i) / rate);
    [ss, sc, cc, xs, xc] = [ss + s * s, sc + s * c, cc + c * c, xs + x * s, xc + x * c];
  });
  const d = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / d;
  const b = (xc * ss - xs * sc) / d;
  let [power, noise] = [0, 0];
  middle.forEach((x, i) => {
    const fit = a * Math.sin((2 * Math.PI * hz * i) / rate) + b * Math.cos((2 * Math.PI * hz * i) / rate);
    power += fit * fit;
    noise += (x - fit) ** 2;
  });
  return 10 * Math.log10(power / noise);
}

for (const [from, to] of [
  [48000, 24000],
  [44100, 24000],
  [96000, 24000],
  [16000, 24000],
  [24000, 48000],
  [24000, 44100],
  [48000, 16000],
  [48000, 8000],
] as const) {
  test(`a sine survives ${from} to ${to} with over 60 dB`, (t) => {
    for (const hz of [200, 1000, 3000]) {
      const db = snr(resample(sine(from, hz, 1), from, to), to, hz);
      t.diagnostic(`${from} to ${to}, ${hz} Hz: ${db.toFixed(1)} dB`);
      assert.ok(db > 60, `${hz} Hz: ${db} dB`);
    }
  });
}

test("what the lower rate cannot hold is held back by over 60 dB", (t) => {
  const out = resample(sine(48000, 15000, 1), 48000, 24000).subarray(2400);
  const rms = Math.sqrt(out.reduce((sum, x) => sum + x * x, 0) / out.length);
  const db = 20 * Math.log10(0.8 / Math.SQRT2 / rms);
  t.diagnostic(`15 kHz into 24000: ${db.toFixed(1)} dB`);
  assert.ok(db > 60, `${db} dB`);
});

test("block sizes make no difference, and equal rates change nothing", () => {
  const input = sine(48000, 440, 0.5);
  assert.deepEqual(resample(input, 48000, 24000, 128), resample(input, 48000, 24000, 1000));
  assert.deepEqual(resample(input, 48000, 48000), input);
});

test("a second in is a second out", () => {
  assert.equal(resample(sine(48000, 440, 1), 48000, 24000).length, 24000);
  assert.equal(resample(sine(44100, 440, 1), 44100, 24000).length, 24000);
});

const RATE = 24000;
const ms = (n: number) => (n * RATE) / 1000;
const ramp = (n: number, from = 1) => Float32Array.from({ length: n }, (_, i) => (from + i) / 1e6);

class Rig {
  finished: Finished[] = [];
  jitter = new Jitter(RATE, (f) => this.finished.push(f));
  heard: number[] = [];
  silence = 0;

  play(milliseconds: number): void {
    const block = new Float32Array(ms(1));
    for (let i = 0; i < milliseconds; i++) {
      const n = this.jitter.pull(block);
      this.heard.push(...block.subarray(0, n));
      this.silence += block.length - n;
    }
  }
}

test("playing begins when 100 ms are there", () => {
  const rig = new Rig();
  rig.jitter.push("a", ramp(ms(99)));
  rig.play(1);
  assert.equal(rig.heard.length, 0);
  rig.jitter.push("a", ramp(ms(1)));
  rig.play(5);
  assert.equal(rig.heard.length, ms(5));
});

test("an answer shorter than that is played when its end is known, or 100 ms later", () => {
  const ended = new Rig();
  ended.jitter.push("a", ramp(ms(40)));
  ended.jitter.end("a");
  ended.play(50);
  assert.equal(ended.heard.length, ms(40));
  assert.deepEqual(ended.finished, [{ item: "a", played: ms(40), how: "done" }]);

  const late = new Rig();
  late.jitter.push("a", ramp(ms(40)));
  late.play(145);
  assert.equal(late.heard.length, ms(40));
  late.jitter.end("a");
  assert.deepEqual(late.finished, [{ item: "a", played: ms(40), how: "done" }]);
});

test("everything is played once and in order, across items", () => {
  const rig = new Rig();
  rig.jitter.push("a", ramp(ms(150)));
  rig.jitter.end("a");
  rig.jitter.push("b", ramp(ms(150), ms(150) + 1));
  rig.jitter.end("b");
  rig.play(400);
  assert.deepEqual(Float32Array.from(rig.heard), ramp(ms(300)));
  assert.deepEqual(rig.finished.map((f) => f.item), ["a", "b"]);
});

test("late frames make it wait for more, a calm time for less, a pause of the voice for neither", () => {
  const rig = new Rig();
  rig.jitter.push("a", ramp(ms(100)));
  rig.play(150); // 50 ms too long
  rig.jitter.push("a", ramp(ms(20)));
  assert.equal(rig.jitter.underruns, 1);
  assert.equal(rig.jitter.target, ms(150));
  rig.jitter.push("a", ramp(ms(130)));
  rig.play(2000); // the voice pauses
  rig.jitter.push("a", ramp(ms(20)));
  assert.equal(rig.jitter.underruns, 1);
  assert.equal(rig.jitter.target, ms(150));
  rig.jitter.push("a", ramp(ms(11_000)));
  rig.play(10_500);
  assert.equal(rig.jitter.target, ms(135));
});

test("it never waits for more than a second", () => {
  const rig = new Rig();
  for (let i = 0; i < 20; i++) {
    rig.jitter.push("a", ramp(rig.jitter.target));
    rig.play((rig.jitter.target / RATE) * 1000 + 50);
  }
  assert.equal(rig.jitter.target, RATE);
});

test("an interrupted item fades within 20 ms, and nothing of it comes after", () => {
  const rig = new Rig();
  rig.jitter.push("a", new Float32Array(ms(500)).fill(0.5));
  rig.play(110);
  rig.jitter.push("b", new Float32Array(ms(200)).fill(0.75));
  rig.jitter.clear("a");
  rig.jitter.push("a", new Float32Array(ms(500)).fill(0.5));
  const before = rig.heard.length;
  rig.play(20);
  const after = rig.heard.slice(before);
  const fade = after.filter((x, i) => x < 0.5 && i < ms(20));
  assert.ok(fade.length <= ms(20) && fade.length > 0);
  assert.ok(fade.every((x, i) => i === 0 || x < fade[i - 1]!), "it only gets quieter");
  assert.deepEqual(rig.finished, [{ item: "a", played: before + fade.length, how: "cleared" }]);
  rig.play(300);
  assert.equal(rig.heard.slice(before).filter((x) => x === 0.75).length, ms(200), "the next item is whole");
  assert.equal(rig.jitter.buffered, 0);
});
