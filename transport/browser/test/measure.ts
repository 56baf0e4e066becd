// How alike two recordings are, where one may begin later and lie between the other's samples.

import { RATE } from "./stage.js";

const LONGEST_LAG = 1.5 * RATE;
const STEPS = 16; // parts of a sample
const REACH = 16; // samples on each side that a shift by a part looks at

/** The first place where two recordings differ, in words; undefined when they are the same. */
export function difference(got: Int16Array, want: Int16Array): string | undefined {
  const n = Math.min(got.length, want.length);
  for (let i = 0; i < n; i++) if (got[i] !== want[i]) return `sample ${i} of ${want.length} is ${got[i]}, want ${want[i]}`;
  return got.length === want.length ? undefined : `${got.length} samples, want ${want.length}`;
}

/** The correlation of a recording with what was spoken, at the best shift. */
export function correlation(got: Int16Array, spoken: Int16Array): { r: number; lag: number } {
  const coarse = search(got, spoken);
  let best = { r: -1, lag: coarse };
  for (let step = -STEPS; step <= STEPS; step++) {
    const part = step / STEPS;
    const r = pearson(shift(got, part), spoken, coarse);
    if (r > best.r) best = { r, lag: coarse + part };
  }
  return best;
}

// search finds where the loudest second of what was spoken lies in the recording.
function search(got: Int16Array, spoken: Int16Array): number {
  let [from, most] = [0, 0];
  for (let at = 0; at + RATE / 2 < Math.min(spoken.length, 8 * RATE); at += RATE / 10) {
    const power = spoken.subarray(at, at + RATE / 2).reduce((sum, x) => sum + x * x, 0);
    if (power > most) [from, most] = [at, power];
  }
  let [lag, best] = [0, -Infinity];
  for (let l = -Math.min(LONGEST_LAG, from); l <= LONGEST_LAG; l++) {
    let sum = 0;
    for (let i = 0; i < RATE / 2; i += 1) sum += spoken[from + i]! * (got[from + i + l] ?? 0);
    if (sum > best) [lag, best] = [l, sum];
  }
  return lag;
}

function pearson(got: Float32Array, spoken: Int16Array, lag: number): number {
  let [xx, yy, xy, sx, sy, n] = [0, 0, 0, 0, 0, 0];
  for (let i = Math.max(0, -lag) + REACH; i < spoken.length && i + lag < got.length - REACH; i++, n++) {
    const x = spoken[i]!;
    const y = got[i + lag]!;
    [xx, yy, xy, sx, sy] = [xx + x * x, yy + y * y, xy + x * y, sx + x, sy + y];
  }
  return (n * xy - sx * sy) / Math.sqrt((n * xx - sx * sx) * (n * yy - sy * sy));
}

// shift gives the recording as it is a part of a sample later.
function shift(x: Int16Array, part: number): Float32Array {
  const taps = Float32Array.from({ length: 2 * REACH + 1 }, (_, i) => {
    const t = i - REACH + part;
    return (t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t)) * (0.5 + 0.5 * Math.cos((Math.PI * t) / (REACH + 1)));
  });
  const out = new Float32Array(x.length);
  for (let i = REACH; i < x.length - REACH; i++) {
    let sum = 0;
    for (let k = 0; k < taps.length; k++) sum += taps[k]! * x[i + k - REACH]!;
    out[i] = sum;
  }
  return out;
}
