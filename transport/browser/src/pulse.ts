// Pulse finds out whether a socket still lives: it asks every few seconds, and at once when
// the network changed or the machine woke.

/** How often it asks, how long it bears silence, and how long when it asked in a hurry. In milliseconds. */
const PING_MS = 5_000;
const SILENCE_MS = 25_000;
const PROBE_MS = 3_000;
/** A clock that jumped so far has slept. */
const SLEEP_MS = 15_000;

export class Pulse {
  #heardAt = Date.now();
  #pingedAt = 0;
  #tickedAt = Date.now();
  #probing = false;
  #ticker: ReturnType<typeof setInterval>;

  /** ping asks; dead is told when nothing came; woke when the machine slept. */
  constructor(
    private readonly live: () => boolean,
    private readonly ping: () => void,
    private readonly dead: (why: string) => void,
    private readonly woke: () => void,
  ) {
    this.#ticker = setInterval(() => this.#tick(), 1000);
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = Date.now();
  }

  /** Asks now. */
  beat(): void {
    this.#pingedAt = Date.now();
    this.ping();
  }

  /** Asks now, and does not wait long. */
  probe(): void {
    if (this.#probing) return;
    this.#probing = true;
    const asked = Date.now();
    this.beat();
    setTimeout(() => {
      this.#probing = false;
      if (this.live() && this.#heardAt < asked) this.dead("no answer");
    }, PROBE_MS);
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  #tick(): void {
    const now = Date.now();
    const slept = now - this.#tickedAt > SLEEP_MS;
    this.#tickedAt = now;
    if (slept) return this.woke();
    if (!this.live()) return;
    if (now - this.#heardAt > SILENCE_MS) return this.dead("silence");
    if (now - this.#pingedAt >= PING_MS) this.beat();
  }
}
