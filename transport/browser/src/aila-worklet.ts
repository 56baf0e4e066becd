/// <reference types="audioworklet" />
// The two processors on the audio thread: one hears, one plays.

import { Jitter } from "./jitter.js";
import { Resampler } from "./resampler.js";
import type { CaptureOptions, Heard, PlayerOptions, PlayerOrder, PlayerReport } from "./worklet.js";

/** How often the player reports, in seconds. */
const REPORT = 0.02;

class Capture extends AudioWorkletProcessor {
  #resampler: Resampler;
  #mono = new Float32Array(128);
  #piece: Float32Array;
  #frame: Int16Array<ArrayBuffer>;
  #filled = 0;

  constructor({ processorOptions: o }: { processorOptions: CaptureOptions }) {
    super();
    this.#resampler = new Resampler(sampleRate, o.rate);
    this.#piece = new Float32Array(this.#resampler.most(128));
    this.#frame = new Int16Array(o.frame);
    // The beginning of a frame is no beginning of what another source gives.
    this.port.onmessage = () => (this.#filled = 0);
  }

  process([input]: Float32Array[][]): boolean {
    if (!input?.length) return true;
    const mono = input.length === 1 ? input[0]! : this.#mix(input);
    const n = this.#resampler.process(mono, this.#piece);
    for (let i = 0; i < n; i++) {
      this.#frame[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(this.#piece[i]! * 32768)));
      if (this.#filled === this.#frame.length) this.#post();
    }
    return true;
  }

  #mix(input: Float32Array[]): Float32Array {
    for (let i = 0; i < 128; i++) {
      let sum = 0;
      for (const channel of input) sum += channel[i]!;
      this.#mono[i] = sum / input.length;
    }
    return this.#mono;
  }

  #post(): void {
    const data = this.#frame;
    this.#frame = new Int16Array(data.length);
    this.#filled = 0;
    let peak = 0;
    for (let i = 0; i < data.length; i++) peak = Math.max(peak, Math.abs(data[i]!));
    this.port.postMessage({ data: data.buffer, peak: peak / 32768 } satisfies Heard, [data.buffer]);
  }
}

class Player extends AudioWorkletProcessor {
  #rate: number;
  #jitter: Jitter;
  #resampler: Resampler;
  #block = new Float32Array(64);
  #ready: Float32Array;
  #filled = 0;
  #since = 0;
  #peak = 0;
  #soundAt = 0;
  #tap: boolean;

  constructor({ processorOptions: o }: { processorOptions: PlayerOptions }) {
    super();
    this.#rate = o.rate;
    this.#tap = o.tap;
    this.#jitter = new Jitter(o.rate, (f) => this.#tell({ kind: "finished", ...f }));
    this.#resampler = new Resampler(o.rate, sampleRate);
    this.#ready = new Float32Array(this.#resampler.most(64) + 128);
    this.port.onmessage = (e: MessageEvent<PlayerOrder>) => this.#obey(e.data);
  }

  process(_: Float32Array[][], [output]: Float32Array[][]): boolean {
    const out = output?.[0];
    if (!out) return true;
    while (this.#filled < out.length) this.#filled += this.#next();
    out.set(this.#ready.subarray(0, out.length));
    this.#ready.copyWithin(0, out.length, this.#filled);
    this.#filled -= out.length;
    for (let i = 0; i < out.length; i++) this.#peak = Math.max(this.#peak, Math.abs(out[i]!));
    if (this.#tap && out.some((x) => Math.abs(x) > 1e-4)) this.#soundAt = currentTime + out.length / sampleRate;
    this.#since += out.length;
    if (this.#since >= REPORT * sampleRate) this.#report();
    return true;
  }

  #obey(m: PlayerOrder): void {
    if (m.order === "push") {
      const samples = new Float32Array(m.data.length); // a loop: from would take long enough to be heard
      for (let i = 0; i < samples.length; i++) samples[i] = m.data[i]! / 32768;
      this.#jitter.push(m.item, samples);
    } else if (m.order === "end") this.#jitter.end(m.item);
    else this.#jitter.clear(m.item);
  }

  // next plays one block into ready, at the device's rate, and tells how much that is.
  #next(): number {
    const n = this.#jitter.pull(this.#block);
    if (this.#tap && n) {
      const data = Int16Array.from(this.#block.subarray(0, n), (x) => Math.round(x * 32768));
      this.port.postMessage({ kind: "tap", item: this.#jitter.item, data } satisfies PlayerReport, [data.buffer]);
    }
    return this.#resampler.process(this.#block, this.#ready.subarray(this.#filled));
  }

  #report(): void {
    const { item, played, buffered, target, underruns, busy } = this.#jitter;
    // What lies between the queue and the output is not played yet.
    const late = Math.round((this.#filled * this.#rate) / sampleRate + (this.#resampler.delay * this.#rate) / sampleRate);
    const heard = busy ? Math.max(0, played - late) : played;
    this.#tell({ kind: "at", item, played: heard, buffered, target, underruns, busy, peak: this.#peak, time: currentTime, soundAt: this.#soundAt });
    this.#since = this.#peak = 0;
  }

  #tell(m: PlayerReport): void {
    this.port.postMessage(m);
  }
}

registerProcessor("aila-capture", Capture);
registerProcessor("aila-player", Player);
