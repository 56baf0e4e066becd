// Ring keeps what the client said, numbered, until the server has acknowledged it. It is the
// outbox too: a cursor tells what goes to the present socket next, and a resume or a refusal
// moves it back. What was numbered never changes, except to mend a message that was refused.

import type { AudioIn, GapIn, Numbered } from "./proto.js";

/** The longest gap that one message may say, in seconds of audio. */
const MAX_GAP_SECONDS = 120;

/** One message on its way. */
export interface Entry {
  seq: number;
  message: Numbered;
  /** How many audio positions it takes. */
  samples: number;
  /** First sample since the session began. */
  pos: number;
}

export class Ring {
  #entries: Entry[] = [];
  #first = 1; // seq of #entries[0], or of the next message when there is none
  #cursor = 1; // seq to send next
  #pos = 0; // samples numbered since the session began
  #held = 0; // samples in #entries that are audio
  #missing = 0; // samples not kept because the ring was full

  /** Samples that were never kept, because the ring was full. */
  overflowed = 0;

  /** A ring of limit samples of unacknowledged audio at rate samples a second. */
  constructor(
    readonly rate: number,
    readonly limit: number,
  ) {}

  /** The number of the next message. */
  get next(): number {
    return this.#first + this.#entries.length;
  }

  /** Samples of audio that wait to be acknowledged, or to be said missing. */
  get held(): number {
    return this.#held + this.#missing;
  }

  /** How many messages wait to be acknowledged. */
  get size(): number {
    return this.#entries.length;
  }

  /** The highest number that the server has acknowledged. */
  get acked(): number {
    return this.#first - 1;
  }

  /** Numbers a message that holds no audio. */
  push(message: Numbered): number {
    this.#confess();
    return this.#append(message, 0);
  }

  /** Numbers audio of so many samples. When the ring is full it is left out, and a gap says so later. */
  audio(data: Uint8Array, samples: number): void {
    if (this.#held + samples > this.limit || (this.#missing > 0 && this.#held > this.limit / 2)) {
      this.#missing += samples;
      this.overflowed += samples;
      return;
    }
    this.#confess();
    this.#append({ type: "audio_chunk", data }, samples);
  }

  /** Numbers a gap of so many samples, in as many messages as it takes. */
  gap(samples: number, reason: GapIn["reason"]): void {
    const most = MAX_GAP_SECONDS * this.rate;
    for (; samples > 0; samples -= most) {
      const part = Math.min(samples, most);
      this.#append({ type: "gap", samples: part, reason }, part);
    }
  }

  /** The message to send next; the cursor stays. */
  peek(): Entry | undefined {
    return this.#entries[this.#cursor - this.#first];
  }

  /** Moves the cursor past the message that peek gave. */
  advance(): void {
    this.#cursor++;
  }

  /** Forgets what the server has. It tells whether seq can be: false for one never given out. */
  ack(seq: number): boolean {
    if (seq >= this.next) return false;
    const count = seq - this.#first + 1;
    if (count <= 0) return true;
    for (const e of this.#entries.splice(0, count)) if (e.message.type === "audio_chunk") this.#held -= e.samples;
    this.#first = seq + 1;
    this.#cursor = Math.max(this.#cursor, this.#first);
    return true;
  }

  /** Moves the cursor back (or on) to seq, within what is kept. */
  rewind(seq: number): void {
    this.#cursor = Math.min(Math.max(seq, this.#first), this.next);
  }

  /** Puts a gap in place of refused audio, so that its number can be taken. Tells whether it was there. */
  mend(seq: number): boolean {
    const e = this.#entries[seq - this.#first];
    if (!e) return false;
    if (e.message.type === "audio_chunk") {
      this.#held -= e.samples;
      this.overflowed += e.samples;
    }
    const samples = Math.max(e.samples, 1);
    e.message = { type: "gap", samples, reason: "overflow", seq };
    return true;
  }

  /**
   * Numbers everything that is kept anew from seq, for another session: the user's audio, gaps,
   * text and ends of turns come along, orders to the old session do not.
   */
  renumber(seq: number): void {
    const kept = this.#entries.filter(({ message: m }) => m.type !== "session_control" || m.action === "commit");
    this.#entries = [];
    this.#first = this.#cursor = seq;
    this.#pos = 0;
    this.#held = 0;
    for (const e of kept) this.#append(e.message, e.samples);
  }

  // confess says what is missing, before anything that comes after it.
  #confess(): void {
    this.gap(this.#missing, "overflow");
    this.#missing = 0;
  }

  #append(message: Numbered, samples: number): number {
    const seq = this.next;
    if (message.type === "audio_chunk") this.#held += samples;
    this.#entries.push({ seq, message: { ...message, seq } as AudioIn, samples, pos: this.#pos });
    this.#pos += samples;
    return seq;
  }
}
