import type { Sound } from "./sound.js";
import type { CaptureOptions, Heard } from "./worklet.js";
export type MicrophoneState = "off"
/** The browser asks the user. */
 | "asking" | "on"
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
export declare class Microphone {
    #private;
    private readonly sound;
    private readonly owner;
    private readonly options;
    state: MicrophoneState;
    /** What the browser really does to the sound; it may refuse what was asked. */
    settings: MediaTrackSettings | undefined;
    constructor(sound: Sound, owner: MicrophoneOwner, options: CaptureOptions);
    /** Opens the microphone; the state says how it went. */
    open(options?: MicrophoneOptions): Promise<MicrophoneState>;
    /** Hears another source instead of the device, until it is closed. */
    hear(source: AudioNode): Promise<void>;
    close(): void;
    /** Lets nothing through, or again everything; the frames go on, silent. */
    enable(on: boolean): void;
    /** Closes for good. */
    dispose(): void;
}
