// Microphone opens the device, gives its frames, and gets it back after it was lost.

import type { Sound } from "./sound.js";
import type { CaptureOptions, Heard } from "./worklet.js";

export type MicrophoneState =
  | "off"
  /** The browser asks the user. */
  | "asking"
  | "on"
  /** The device or the system gives silence: a switch, or a phone call. */
  | "silent"
  /** The user, or a policy, said no. It opens by itself when that changes. */
  | "denied"
  /** There is no microphone. It opens by itself when one is plugged in. */
  | "missing"
  /** Another program has it. */
  | "busy"
  /** It was unplugged. It opens by itself when there is one again. */
  | "lost"
  /** The browser has none to give: an insecure page, or too old. */
  | "unsupported";

export interface MicrophoneOptions {
  /**
   * "voice" (the default) has the browser cancel echo, suppress noise and level the gain; "none"
   * leaves the sound as it is, for measures that must not be distorted.
   */
  processing?: "voice" | "none";
  /** Which device; the default one without. */
  deviceId?: string;
}

/** What a microphone tells its owner. */
export interface MicrophoneOwner {
  heard(h: Heard): void;
  microphone(state: MicrophoneState): void;
}

export class Microphone {
  state: MicrophoneState = "off";
  /** What the browser really does to the sound; it may refuse what was asked. */
  settings: MediaTrackSettings | undefined;

  #node: AudioWorkletNode | undefined;
  #source: AudioNode | undefined;
  #stream: MediaStream | undefined;
  #wanted: MicrophoneOptions | undefined;
  #opening = 0;

  constructor(
    private readonly sound: Sound,
    private readonly owner: MicrophoneOwner,
    private readonly options: CaptureOptions,
  ) {
    navigator.mediaDevices?.addEventListener("devicechange", this.#retry);
    void this.#watchPermission();
  }

  /** Opens the microphone; the state says how it went. */
  async open(options: MicrophoneOptions = {}): Promise<MicrophoneState> {
    this.#wanted = options;
    if (!navigator.mediaDevices?.getUserMedia) return this.#turn("unsupported");
    const mine = ++this.#opening;
    this.#turn("asking");
    const processed = options.processing !== "none";
    if ("audioSession" in navigator) (navigator.audioSession as { type: string }).type = "play-and-record";
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          deviceId: options.deviceId ? { exact: options.deviceId } : undefined,
          channelCount: 1,
          echoCancellation: processed,
          noiseSuppression: processed,
          autoGainControl: processed,
        },
      });
      await this.sound.ready;
      if (mine !== this.#opening) {
        stop(stream);
        return this.state;
      }
      this.#listen(stream);
      await this.sound.unlock();
    } catch (err) {
      if (mine === this.#opening) this.#turn(refusal(err));
    }
    return this.state;
  }

  /** Hears another source instead of the device, until it is closed. */
  async hear(source: AudioNode): Promise<void> {
    await this.sound.ready;
    this.close();
    this.#connect(source);
  }

  close(): void {
    this.#wanted = undefined;
    this.#opening++;
    this.#release();
    this.#turn("off");
  }

  /** Lets nothing through, or again everything; the frames go on, silent. */
  enable(on: boolean): void {
    for (const track of this.#stream?.getTracks() ?? []) track.enabled = on;
  }

  /** Closes for good. */
  dispose(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#retry);
    this.close();
    this.#node?.disconnect();
  }

  #listen(stream: MediaStream): void {
    this.#release();
    this.#stream = stream;
    const [track] = stream.getAudioTracks();
    if (!track) return void this.#turn("missing");
    this.settings = track.getSettings();
    track.onended = () => {
      this.#release();
      this.#turn("lost");
      this.#retry();
    };
    track.onmute = () => this.#turn("silent");
    track.onunmute = () => this.#turn("on");
    this.#connect(this.sound.context.createMediaStreamSource(stream));
    this.#turn(track.muted ? "silent" : "on");
  }

  #connect(source: AudioNode): void {
    const { context } = this.sound;
    if (!this.#node) {
      this.#node = new AudioWorkletNode(context, "aila-capture", { processorOptions: this.options, outputChannelCount: [1] });
      this.#node.port.onmessage = (e: MessageEvent<Heard>) => this.#source && this.owner.heard(e.data);
      this.#node.connect(context.destination); // it is silent, but what leads nowhere is not run
    }
    this.#source = source;
    source.connect(this.#node);
  }

  #release(): void {
    this.#source?.disconnect();
    this.#source = undefined;
    this.#node?.port.postMessage("forget");
    if (this.#stream) stop(this.#stream);
    this.#stream = undefined;
  }

  // retry opens what was lost, denied or missing, now that something changed.
  #retry = () => {
    if (this.#wanted && ["lost", "denied", "missing", "busy"].includes(this.state)) {
      // The device that was asked for may be gone: then any.
      const { deviceId, ...rest } = this.#wanted;
      void this.open(this.state === "lost" ? rest : this.#wanted);
    }
  };

  async #watchPermission(): Promise<void> {
    try {
      const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
      status.onchange = () => status.state === "granted" && this.#retry();
    } catch {
      // Not every browser can be asked: then the user opens it again by hand.
    }
  }

  #turn(state: MicrophoneState): MicrophoneState {
    if (state !== this.state) this.owner.microphone((this.state = state));
    return state;
  }
}

function refusal(err: unknown): MicrophoneState {
  switch ((err as DOMException)?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
  }
  return "unsupported";
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = track.onmute = track.onunmute = null;
    track.stop();
  }
}
