// Session is a conversation with a voice: the channel to the server, the microphone and the
// speaker, joined.

import { Channel, type Phase } from "./channel.js";
import type { Ended } from "./closes.js";
import { Emitter } from "./emitter.js";
import type { SessionEvents, State, Stats } from "./events.js";
import { Microphone, type MicrophoneOptions, type MicrophoneState } from "./microphone.js";
import type { ConnectOptions } from "./options.js";
import type * as p from "./proto.js";
import { Sound, type SoundState } from "./sound.js";
import { Speaker } from "./speaker.js";
import { tabStore } from "./store.js";
import { watchWeather } from "./weather.js";
import type { Heard, PlayerAt } from "./worklet.js";

const DEFAULT_FORMAT: p.Format = { encoding: "pcm16", sample_rate: 24000, channels: 1 };
/** The longest text, in bytes. */
const MAX_TEXT = 8 << 10;
/** How long the voice is said to speak after its last sound, in milliseconds. */
const BREATH_MS = 300;

export class Session extends Emitter<SessionEvents> {
  state: State = "connecting";
  /** Why it is in this state, where that is worth saying. */
  because: string | undefined;
  muted: boolean;

  #channel: Channel;
  #sound: Sound;
  #microphone: Microphone;
  #speaker: Speaker;
  #voiceState: p.ServerState = "listening";
  #item = ""; // the voice's last
  #open = new Set<string>(); // items without their end
  #life = 0; // counts the server's sessions: their items may have the same names
  #mutedSamples = 0;
  #lostSamples = 0;
  #moves = 0;
  #lostAt = 0;
  #soundedAt = -Infinity;
  #ended: Ended | undefined;
  #forget: () => void;
  #clock: ReturnType<typeof setInterval>;

  /** Pages call connect instead. */
  constructor(
    private readonly options: ConnectOptions,
    worklet: string | URL,
  ) {
    super();
    const rate = options.sampleRate ?? DEFAULT_FORMAT.sample_rate;
    const frame = Math.round((rate * Math.min(40, Math.max(20, options.frameMs ?? 20))) / 1000);
    this.muted = options.muted ?? false;
    this.#sound = new Sound(options.worklet ?? worklet, options.deviceRate, (s) => this.#soundChanged(s));
    this.#microphone = new Microphone(
      this.#sound,
      { heard: (h) => this.#heard(h), microphone: (s) => this.#microphoneChanged(s) },
      { rate, frame },
    );
    this.#speaker = new Speaker(
      this.#sound,
      {
        playback: (m) => this.#playback(m),
        playing: (at) => this.#playing(at),
        tapped: (item, samples) => this.emit("played", { item_id: this.#name(item), samples }),
      },
      { rate, tap: options.tap ?? false },
    );
    this.#channel = new Channel(
      {
        receive: (m) => this.#receive(m),
        phase: (phase, why) => this.#phase(phase, why),
        moved: (samples) => this.#moved(samples),
        over: (ended) => this.#over(ended),
      },
      {
        url: socketURL(options.url),
        token: () => (typeof options.token === "function" ? options.token() : options.token),
        voice: options.voice,
        audio: { ...DEFAULT_FORMAT, sample_rate: rate },
        binary: options.binary ?? true,
        metadata: options.metadata,
        store: options.resumeAfterReload === false ? undefined : tabStore(),
        patience: options.patience ?? 15_000,
      },
    );
    this.#forget = watchWeather({ changed: () => this.#weather(), leaving: () => this.#channel.leave() });
    this.#clock = setInterval(() => this.#tick(), 250);
  }

  /** The session's id; it changes when the session moves. */
  get id(): string {
    return this.#channel.id;
  }

  get voice(): string {
    return this.#channel.voice;
  }

  get microphone(): MicrophoneState {
    return this.#microphone.state;
  }

  /** What the browser really does to the microphone's sound. */
  get microphoneSettings(): MediaTrackSettings | undefined {
    return this.#microphone.settings;
  }

  get sound(): SoundState {
    return this.#sound.state;
  }

  /** The page's AudioContext, for sources to give to hear. */
  get context(): AudioContext {
    return this.#sound.context;
  }

  get stats(): Stats {
    const ms = (samples: number) => Math.round((samples / this.#rate) * 1000);
    const { at } = this.#speaker;
    return {
      rtt_ms: this.#channel.rtt,
      unacknowledged_ms: ms(this.#channel.ring.held),
      buffered_ms: ms(at?.buffered ?? 0),
      target_ms: ms(at?.target ?? 0),
      underruns: at?.underruns ?? 0,
      resumes: this.#channel.resumes,
      moves: this.#moves,
      lost_ms: ms(this.#lostSamples + this.#channel.ring.overflowed),
    };
  }

  /** Opens the microphone, or opens it otherwise. Call it from a click; the answer is its state. */
  openMicrophone(options: MicrophoneOptions = {}): Promise<MicrophoneState> {
    return this.#microphone.open(options);
  }

  closeMicrophone(): void {
    this.#microphone.close();
  }

  /** Hears an audio node of context in place of the microphone, until closeMicrophone. */
  hear(source: AudioNode): Promise<void> {
    return this.#microphone.hear(source);
  }

  /** Lets the voice hear nothing, or again everything. */
  mute(on = true): void {
    if (this.muted === on) return;
    this.muted = on;
    this.#microphone.enable(!on);
    if (!on) this.#sayMuted();
  }

  unmute(): void {
    this.mute(false);
  }

  /** Ends the user's turn: what was said so far is to be answered. */
  commit(): void {
    this.#sayMuted();
    this.#channel.say({ type: "session_control", action: "commit" });
  }

  /** Silences the voice at once and has it drop what it has not yet said. */
  interrupt(): void {
    const heard = this.#speaker.heard();
    const open = this.#open.has(this.#key(this.#item)) ? this.#item : ""; // none: whatever the voice is about to say
    const item_id = heard ? this.#name(heard.item_id) : open;
    const order: p.Interrupt = { type: "session_control", action: "interrupt" };
    if (item_id) order.item_id = item_id;
    if (heard) order.played_ms = heard.played_ms;
    if (item_id) this.#speaker.clear(this.#key(item_id));
    this.#channel.say(order);
  }

  /** Says something in writing. */
  say(text: string): void {
    if (new TextEncoder().encode(text).length > MAX_TEXT) throw new RangeError("a text may have 8 KiB");
    this.#channel.say({ type: "text", text });
  }

  /** The voice stops hearing and holds its answer, until continue. */
  pause(): void {
    this.#channel.say({ type: "session_control", action: "pause" });
  }

  continue(): void {
    this.#channel.say({ type: "session_control", action: "continue" });
  }

  /** Brings a fresh token before the old one ends; with a token function that happens by itself. */
  refresh(token: string): void {
    this.#channel.mention({ type: "session_control", action: "refresh", token });
  }

  /** Lets sound through, after a click where the browser wants one. */
  unlock(): Promise<void> {
    return this.#sound.unlock();
  }

  /** Finishes: the microphone closes, what was said is still answered. With now, the voice is silenced too. */
  async end({ now = false } = {}): Promise<Ended> {
    this.#microphone.close();
    this.#sayMuted();
    if (now) for (const item of this.#open) this.#speaker.clear(item);
    if (now && this.#item) this.#speaker.clear(this.#key(this.#item));
    this.#channel.end(now);
    return this.#ended ?? this.once("ended");
  }

  /** Fails as a network would, for ms milliseconds: for demonstrations and tests. */
  cut(ms: number): void {
    this.#channel.cut(ms);
  }

  get #rate(): number {
    return this.#channel.format.sample_rate;
  }

  #heard(h: Heard): void {
    const samples = new Int16Array(h.data);
    this.emit("level", { side: "user", peak: this.muted ? 0 : h.peak });
    if (this.muted) {
      this.#mutedSamples += samples.length;
      if (this.#mutedSamples >= this.#rate) this.#sayMuted();
      return;
    }
    this.#channel.audio(new Uint8Array(h.data), samples.length);
    this.emit("captured", { samples });
  }

  // sayMuted says how long nothing was heard, so that the server's clock goes on.
  #sayMuted(): void {
    if (this.#mutedSamples === 0) return;
    this.#channel.gap(this.#mutedSamples, "muted");
    this.#mutedSamples = 0;
  }

  #receive(m: p.Outbound): void {
    this.emit("message", m);
    switch (m.type) {
      case "session_state":
        this.#voiceState = m.state;
        if (m.item_id) this.#item = m.item_id;
        return this.#judge();
      case "audio_chunk":
        return this.#play(m);
      case "audio_end":
        this.#open.delete(this.#key(m.item_id));
        return this.#speaker.end(this.#key(m.item_id));
      case "interrupted":
        this.#open.delete(this.#key(m.item_id));
        this.#speaker.clear(this.#key(m.item_id));
        return this.emit("interrupted", m);
      case "gap":
        if (m.reason !== "paused") this.#lostSamples += m.to_pos - m.from_pos;
        return this.emit("gap", m);
      case "speech_started":
      case "speech_stopped":
        return this.emit("speech", m);
      case "notice":
        if (m.kind === "token_expiring") void this.#freshen();
        return this.emit("notice", m);
      case "transcript":
        return this.emit("transcript", m);
      case "goaway":
        return this.emit("goaway", m);
      case "error":
        return this.emit("error", m);
      case "session_ended":
        for (const item of this.#open) this.#speaker.end(item);
        return this.#open.clear();
    }
  }

  #play(m: p.AudioOut): void {
    this.#item = m.item_id;
    this.#open.add(this.#key(m.item_id));
    this.#speaker.push(this.#key(m.item_id), m.data);
    const even = m.data.byteOffset % 2 === 0 ? m.data : m.data.slice();
    this.emit("audio", { item_id: m.item_id, pos: m.pos, samples: new Int16Array(even.buffer, even.byteOffset, even.length >> 1) });
  }

  // key names an item for the speaker; name is its way back.
  #key(item: string): string {
    return `${this.#life}/${item}`;
  }

  #name(key: string): string {
    return key.slice(key.indexOf("/") + 1);
  }

  #playback(m: p.Playback): void {
    const item_id = this.#name(m.item_id);
    if (m.item_id === this.#key(item_id)) this.#channel.mention({ ...m, item_id });
  }

  #playing(at: PlayerAt): void {
    this.emit("level", { side: "voice", peak: at.peak, sounded_at: this.options.tap ? at.soundAt : undefined });
    if (at.busy) this.#soundedAt = performance.now();
    this.#judge();
  }

  #phase(phase: Phase, why: string): void {
    if (phase === "reconnecting") this.#lostAt = performance.now();
    if (phase === "live" && why === "resumed") {
      this.emit("resumed", { resumes: this.#channel.resumes, away_ms: this.#lostAt ? performance.now() - this.#lostAt : 0 });
    }
    if (phase === "moving") {
      this.#life++;
      this.#item = "";
      this.#voiceState = "listening";
    }
    this.#judge();
  }

  #moved(samples: number): void {
    this.#moves++;
    this.emit("moved", { id: this.id, carried_ms: Math.round((samples / this.#rate) * 1000) });
  }

  // judge makes of all that is known the one state that people see.
  #judge(): void {
    const [state, because] = this.#seen();
    if (state === this.state && because === this.because) return;
    this.state = state;
    this.because = because;
    this.emit("state", { state, because });
  }

  #seen(): [State, string?] {
    if (this.#ended) return ["ended", this.#ended.reason];
    switch (this.#channel.phase) {
      case "connecting":
        return ["connecting"];
      case "reconnecting":
        return ["reconnecting", "network"];
      case "moving":
        return ["reconnecting", "drain"];
    }
    if (this.#voiceState === "voice_reconnecting") return ["reconnecting", "voice"];
    if (this.#voiceState === "paused") return ["paused"];
    if (performance.now() - this.#soundedAt < BREATH_MS) return ["speaking"];
    return [this.#voiceState === "thinking" ? "thinking" : "listening"];
  }

  async #freshen(): Promise<void> {
    if (typeof this.options.token !== "function") return;
    const token = await this.options.token();
    if (token) this.refresh(token);
  }

  #weather(): void {
    this.#channel.hurry();
    void this.#sound.unlock();
  }

  #microphoneChanged(state: MicrophoneState): void {
    if (state === "on") this.#microphone.enable(!this.muted);
    this.emit("microphone", { state, settings: this.#microphone.settings });
  }

  #soundChanged(state: SoundState): void {
    this.emit("sound", { state });
  }

  #tick(): void {
    this.#judge();
    this.emit("stats", this.stats);
  }

  #over(ended: Ended): void {
    this.#ended = ended;
    this.#forget();
    clearInterval(this.#clock);
    this.#microphone.dispose();
    if (ended.summary) this.#lostSamples = Math.max(this.#lostSamples, ended.summary.samples_lost);
    this.emit("stats", this.stats);
    this.#judge();
    this.emit("ended", ended);
    this.close();
    // What was said before the end is heard to its end.
    const left = (this.#speaker.at?.buffered ?? 0) / this.#rate + 0.3;
    setTimeout(() => {
      this.#speaker.dispose();
      void this.#sound.close();
    }, left * 1000);
  }
}

function socketURL(url: string | URL | undefined): string {
  const full = new URL(url ?? "/ws", location.href);
  full.protocol = full.protocol.replace("http", "ws");
  return full.href;
}
