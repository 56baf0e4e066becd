// Jitter holds the voice's audio until it is played. It begins to play when so much is there
// that the next frame may be late, asks for more after one was, and slowly for less when none
// is. Nothing that was said is left out or changed but what an interruption cuts off.

/** How much is waited for, in seconds: at first and at least, and at most. */
const LEAST = 0.1;
const MOST = 1;
/** Silence longer than this, in seconds, is a voice that paused and not a late frame. */
const PAUSE = 0.5;
/** After so long without a late frame, in seconds, a little less is waited for. */
const CALM = 10;
/** How long an interrupted item takes to fade, in seconds. */
const FADE = 0.008;

/** What was played to the end, or cut off; played counts its samples. */
export interface Finished {
  item: string;
  played: number;
  how: "done" | "cleared";
}

interface Piece {
  item: string;
  data: Float32Array;
  /** Set on the last piece of an item. */
  end?: Finished["how"];
}

export class Jitter {
  /** Samples that wait to be played. */
  buffered = 0;
  /** How many samples are waited for before playing begins. */
  target: number;
  /** How often a late frame was missed. */
  underruns = 0;
  /** The item that was played last, and how much of it. */
  item = "";
  played = 0;

  #queue: Piece[] = [];
  #offset = 0; // into the first piece
  #playing = false;
  #waited = 0; // samples for which something has waited to be played
  #starved = -1; // samples of silence since the queue ran dry in mid-item; -1: it did not
  #calm = 0; // samples played since a frame was late
  #cleared = new Set<string>();

  constructor(
    private readonly rate: number,
    private readonly finished: (f: Finished) => void,
  ) {
    this.target = LEAST * rate;
  }

  /** Tells whether anything is, or is about to be, played. */
  get busy(): boolean {
    return this.#queue.length > 0;
  }

  /** Adds audio of an item, unless it was cleared. */
  push(item: string, data: Float32Array): void {
    if (this.#cleared.has(item)) return;
    if (this.#starved >= 0 && this.#starved < PAUSE * this.rate) {
      this.underruns++;
      this.#calm = 0;
      this.target = Math.min(MOST * this.rate, Math.max(this.target * 1.5, this.target + this.#starved));
    }
    this.#starved = -1;
    this.#queue.push({ item, data });
    this.buffered += data.length;
  }

  /** Says that all audio of an item was pushed. */
  end(item: string): void {
    if (this.#cleared.has(item)) return;
    if (this.#starved >= 0 && this.item === item) return this.#finish("done");
    this.#queue.push({ item, data: NOTHING, end: "done" });
  }

  /** Fades an item out and throws the rest of it away, also what is yet to come. */
  clear(item: string): void {
    if (this.#cleared.has(item)) return;
    this.#cleared.add(item);
    const first = this.#queue[0];
    const sounds = this.#playing && first?.item === item;
    const rest = sounds ? this.#fade(item) : [];
    if (!sounds && this.item === item && this.#starved >= 0) this.#finish("cleared");
    this.#queue = [...rest, ...this.#queue.filter((p) => p.item !== item)];
    this.#offset = sounds ? 0 : this.#offset;
    this.buffered = this.#queue.reduce((sum, p) => sum + p.data.length, 0) - this.#offset;
  }

  /** Fills out, with silence where there is nothing, and tells how many samples at its start are the voice's. */
  pull(out: Float32Array): number {
    let n = 0;
    while (n < out.length) {
      if (!this.#playing && !this.#begin(out.length - n)) break;
      const first = this.#queue[0];
      if (!first) {
        this.#playing = false;
        continue;
      }
      n += this.#take(first, out, n);
    }
    out.fill(0, n);
    if (this.#starved >= 0) this.#starved += out.length - n;
    return n;
  }

  // begin starts to play when enough is there, or has waited long enough.
  #begin(silence: number): boolean {
    if (this.#queue.length === 0) return false;
    const enough = this.buffered >= this.target || this.#waited >= this.target || this.#queue.some((p) => p.end);
    if (!enough) {
      this.#waited += silence;
      return false;
    }
    this.#waited = 0;
    return (this.#playing = true);
  }

  // take copies from the first piece, and tells how much.
  #take(first: Piece, out: Float32Array, at: number): number {
    if (first.item !== this.item) {
      this.item = first.item;
      this.played = 0;
    }
    const n = Math.min(first.data.length - this.#offset, out.length - at);
    out.set(first.data.subarray(this.#offset, this.#offset + n), at);
    this.#offset += n;
    this.buffered -= n;
    this.played += n;
    this.#settle(n);
    if (this.#offset < first.data.length) return n;
    this.#queue.shift();
    this.#offset = 0;
    if (first.end) this.#finish(first.end);
    else if (this.#queue.length === 0) this.#starved = 0;
    return n;
  }

  // settle waits for a little less after a calm time.
  #settle(n: number): void {
    this.#calm += n;
    if (this.#calm < CALM * this.rate) return;
    this.#calm = 0;
    this.target = Math.max(LEAST * this.rate, this.target * 0.9);
  }

  #finish(how: Finished["how"]): void {
    this.#starved = -1;
    this.finished({ item: this.item, played: this.played, how });
  }

  // fade gives what is still played of an item that is cut off.
  #fade(item: string): Piece[] {
    const data = new Float32Array(Math.round(FADE * this.rate));
    let n = 0;
    for (let i = 0, from = this.#offset; n < data.length && this.#queue[i]?.item === item; i++, from = 0) {
      const part = this.#queue[i]!.data.subarray(from, from + data.length - n);
      data.set(part, n);
      n += part.length;
    }
    const faded = data.subarray(0, n).map((x, i) => x * (1 - (i + 1) / n));
    return [{ item, data: faded, end: "cleared" }];
  }
}

const NOTHING = new Float32Array(0);
