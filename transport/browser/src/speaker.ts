// Speaker plays the voice's items and knows what of them was truly heard.

import type { Playback } from "./proto.js";
import type { Sound } from "./sound.js";
import type { PlayerAt, PlayerOptions, PlayerOrder, PlayerReport } from "./worklet.js";

/** How often the server is told what is heard, in milliseconds. */
const TELL_MS = 500;

/** What a speaker tells its owner. */
export interface SpeakerOwner {
  /** What the server is to know. */
  playback(p: Playback): void;
  /** Where the player is, about 50 times a second. */
  playing(at: PlayerAt): void;
  /** Samples that were played; only with tap. */
  tapped(item: string, samples: Int16Array): void;
}

export class Speaker {
  /** The player's last report. */
  at: PlayerAt | undefined;

  #node: AudioWorkletNode | undefined;
  #waiting: PlayerOrder[] = [];
  #cleared = new Set<string>();
  #told = 0;

  constructor(
    private readonly sound: Sound,
    private readonly owner: SpeakerOwner,
    private readonly options: PlayerOptions,
  ) {
    void this.#load();
  }

  /** Plays audio of an item, after all that was given before. */
  push(item: string, bytes: Uint8Array): void {
    if (this.#cleared.has(item)) return;
    const data = new Int16Array(bytes.length >> 1);
    new Uint8Array(data.buffer).set(bytes.subarray(0, data.byteLength));
    this.#order({ order: "push", item, data }, [data.buffer]);
  }

  /** Says that all of an item was pushed. */
  end(item: string): void {
    this.#order({ order: "end", item });
  }

  /** Silences an item, and what is still to come of it. */
  clear(item: string): void {
    if (this.#cleared.has(item)) return;
    this.#cleared.add(item);
    this.#order({ order: "clear", item });
  }

  /** The item that sounds now, and how much of it was heard, in milliseconds. */
  heard(): { item_id: string; played_ms: number } | undefined {
    const at = this.at;
    if (!at?.busy || !at.item) return undefined;
    return { item_id: at.item, played_ms: this.#ms(at.played, this.sound.context.currentTime - at.time) };
  }

  dispose(): void {
    this.#node?.disconnect();
    this.#node = undefined;
    this.#waiting = [];
  }

  async #load(): Promise<void> {
    try {
      await this.sound.ready;
    } catch {
      return; // the sound says that it failed
    }
    const { context } = this.sound;
    this.#node = new AudioWorkletNode(context, "aila-player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: this.options,
    });
    this.#node.port.onmessage = (e: MessageEvent<PlayerReport>) => this.#report(e.data);
    this.#node.connect(context.destination);
    for (const o of this.#waiting.splice(0)) this.#order(o);
  }

  #order(o: PlayerOrder, transfer: Transferable[] = []): void {
    if (this.#node) this.#node.port.postMessage(o, transfer);
    else this.#waiting.push(o);
  }

  #report(m: PlayerReport): void {
    if (m.kind === "tap") return this.owner.tapped(m.item, m.data);
    if (m.kind === "finished") {
      const played_ms = m.how === "done" ? Math.round((m.played / this.options.rate) * 1000) : this.#ms(m.played, 0);
      return this.owner.playback({ type: "playback", item_id: m.item, played_ms, state: m.how });
    }
    this.at = m;
    this.owner.playing(m);
    const now = performance.now();
    if (!m.busy || now - this.#told < TELL_MS) return;
    this.#told = now;
    this.owner.playback({ type: "playback", item_id: m.item, played_ms: this.#ms(m.played, 0), state: "playing" });
  }

  // ms is how much of so many played samples was heard, since seconds later.
  #ms(samples: number, since: number): number {
    return Math.max(0, Math.round((samples / this.options.rate + Math.min(since, 0.05) - this.sound.latency) * 1000));
  }
}
