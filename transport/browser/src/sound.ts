// Sound is the page's AudioContext with Aila's worklet in it, and the way around the rule
// that a page may not make a sound before somebody touched it.

export type SoundState =
  /** Sound comes and goes. */
  | "running"
  /** The browser waits for a touch or a key; the first one unlocks it. */
  | "blocked"
  /** Something else has the device, such as a phone call. */
  | "interrupted"
  /** The worklet could not be loaded. */
  | "failed"
  | "closed";

const GESTURES = ["pointerup", "touchend", "keydown"] as const;

export class Sound {
  readonly context: AudioContext;
  /** Resolves when the worklet is loaded. */
  readonly ready: Promise<void>;
  state: SoundState = "blocked";
  #wanted = true;

  /** With a sampleRate the context runs at that rate instead of the device's. */
  constructor(
    worklet: string | URL,
    sampleRate: number | undefined,
    private readonly changed: (s: SoundState) => void,
  ) {
    this.context = new AudioContext({ latencyHint: "interactive", sampleRate });
    this.ready = this.context.audioWorklet.addModule(worklet);
    this.ready.catch(() => this.#turn("failed"));
    this.context.onstatechange = () => this.#judge();
    for (const g of GESTURES) addEventListener(g, this.#touched, { capture: true, passive: true });
    this.#judge();
    void this.unlock();
  }

  /** Asks the browser to let sound through; it does after a touch, a click or a key. */
  async unlock(): Promise<void> {
    if (this.#wanted && this.context.state !== "running") await this.context.resume().catch(() => {});
  }

  /** How far what is heard lies behind what is played, in seconds. */
  get latency(): number {
    const { outputLatency, baseLatency } = this.context;
    return outputLatency || baseLatency || 0;
  }

  async close(): Promise<void> {
    this.#wanted = false;
    for (const g of GESTURES) removeEventListener(g, this.#touched, { capture: true });
    if (this.context.state !== "closed") await this.context.close();
  }

  #touched = () => void this.unlock();

  #judge(): void {
    const now: string = this.context.state; // Safari has one more state than the standard
    this.#turn(now === "running" || now === "closed" || now === "interrupted" ? now : "blocked");
  }

  #turn(state: SoundState): void {
    if (state === this.state || this.state === "failed") return;
    this.state = state;
    this.changed(state);
  }
}
