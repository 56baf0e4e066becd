// Resampler turns a stream of samples at one rate into one at another: a polyphase filter, a
// sinc under a Kaiser window. It runs on the audio thread and allocates nothing there.

/** Zero crossings on each side of the filter's middle, at the lower of both rates. */
const CROSSINGS = 32;
/** The window's shape: about 90 dB of what must not pass is held back. */
const BETA = 9;
/** The middle of the slope, as a part of the lower rate's half. */
const CUTOFF = 0.92;

export class Resampler {
  /** How far the output lags behind, in samples of the output. */
  readonly delay: number;
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #phases: Float32Array[] = [];
  #line: Float32Array; // what of the input is still needed
  #filled: number;
  #at = 0; // place of the next output, in 1/up of an input sample, from the start of the line

  constructor(from: number, to: number) {
    const g = gcd(from, to);
    this.#up = to / g;
    this.#down = from / g;
    const scale = Math.min(1, to / from);
    const half = from === to ? 0 : Math.ceil(CROSSINGS / scale);
    this.#taps = 2 * half;
    for (let p = 0; p < this.#up && half > 0; p++) this.#phases.push(phase(p / this.#up, half, scale * CUTOFF));
    this.delay = (half * to) / from;
    this.#line = new Float32Array(this.#taps + 4096);
    this.#filled = this.#taps ? this.#taps - 1 : 0; // silence before the beginning
  }

  /** The most that process may write for so much input. */
  most(input: number): number {
    return Math.ceil((input * this.#up) / this.#down) + 1;
  }

  /** Takes input of at most 4096 samples, writes what comes of it to output, and tells how much that is. */
  process(input: Float32Array, output: Float32Array): number {
    if (this.#taps === 0) {
      output.set(input);
      return input.length;
    }
    this.#line.set(input, this.#filled);
    this.#filled += input.length;
    let n = 0;
    let start = Math.floor(this.#at / this.#up);
    while (start + this.#taps <= this.#filled) {
      const taps = this.#phases[this.#at % this.#up]!;
      let sum = 0;
      for (let i = 0; i < taps.length; i++) sum += taps[i]! * this.#line[start + i]!;
      output[n++] = sum;
      this.#at += this.#down;
      start = Math.floor(this.#at / this.#up);
    }
    const done = Math.min(start, this.#filled);
    this.#line.copyWithin(0, done, this.#filled);
    this.#filled -= done;
    this.#at -= done * this.#up;
    return n;
  }
}

// phase gives the filter for an output that lies at frac of a sample after the tap half-1.
function phase(frac: number, half: number, cutoff: number): Float32Array {
  const taps = new Float32Array(2 * half);
  let sum = 0;
  for (let i = 0; i < taps.length; i++) {
    const x = i - (half - 1) - frac;
    const r = x / half;
    const window = Math.abs(r) < 1 ? bessel(BETA * Math.sqrt(1 - r * r)) / bessel(BETA) : 0;
    const y = Math.PI * cutoff * x;
    sum += taps[i] = (y === 0 ? 1 : Math.sin(y) / y) * window;
  }
  return taps.map((t) => t / sum);
}

// bessel is the modified Bessel function of the first kind, order zero.
function bessel(x: number): number {
  let sum = 1;
  for (let term = 1, k = 1; term > 1e-12 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
