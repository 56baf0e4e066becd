// Inbox knows which of the server's numbered messages the client has, and when to say so.

/** After so many messages, or so many milliseconds, an ack is due. */
const ACK_MESSAGES = 16;
const ACK_MS = 250;

export class Inbox {
  /** The highest server seq that has arrived with all before it. */
  last = 0;
  #owed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** send is called when an ack is due. */
  constructor(private readonly send: (seq: number) => void) {}

  /** Judges a message: new (and counted), had before, or with one missing before it. */
  take(seq: number): "new" | "old" | "hole" {
    if (seq > this.last + 1) return "hole";
    const fresh = seq === this.last + 1;
    if (fresh) this.last = seq;
    this.#owe();
    return fresh ? "new" : "old";
  }

  /** Sends the ack that is due now rather than later. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#owed === 0) return;
    this.#owed = 0;
    this.send(this.last);
  }

  /** Begins anew after seq, for another session or a resume (which acknowledges by itself). */
  reset(seq: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#owed = 0;
    this.last = seq;
  }

  #owe(): void {
    if (++this.#owed >= ACK_MESSAGES) return this.flush();
    this.#timer ??= setTimeout(() => this.flush(), ACK_MS);
  }
}
