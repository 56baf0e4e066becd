import type { Ended } from "./closes.js";
import { Emitter } from "./emitter.js";
import type { SessionEvents, State, Stats } from "./events.js";
import { type MicrophoneOptions, type MicrophoneState } from "./microphone.js";
import type { ConnectOptions } from "./options.js";
import { type SoundState } from "./sound.js";
export declare class Session extends Emitter<SessionEvents> {
    #private;
    private readonly options;
    state: State;
    /** Why it is in this state, where that is worth saying. */
    because: string | undefined;
    muted: boolean;
    /** Pages call connect instead. */
    constructor(options: ConnectOptions, worklet: string | URL);
    /** The session's id; it changes when the session moves. */
    get id(): string;
    get voice(): string;
    get microphone(): MicrophoneState;
    /** What the browser really does to the microphone's sound. */
    get microphoneSettings(): MediaTrackSettings | undefined;
    get sound(): SoundState;
    /** The page's AudioContext, for sources to give to hear. */
    get context(): AudioContext;
    get stats(): Stats;
    /** Opens the microphone, or opens it otherwise. Call it from a click; the answer is its state. */
    openMicrophone(options?: MicrophoneOptions): Promise<MicrophoneState>;
    closeMicrophone(): void;
    /** Hears an audio node of context in place of the microphone, until closeMicrophone. */
    hear(source: AudioNode): Promise<void>;
    /** Lets the voice hear nothing, or again everything. */
    mute(on?: boolean): void;
    unmute(): void;
    /** Ends the user's turn: what was said so far is to be answered. */
    commit(): void;
    /** Silences the voice at once and has it drop what it has not yet said. */
    interrupt(): void;
    /** Says something in writing. */
    say(text: string): void;
    /** The voice stops hearing and holds its answer, until continue. */
    pause(): void;
    continue(): void;
    /** Brings a fresh token before the old one ends; with a token function that happens by itself. */
    refresh(token: string): void;
    /** Lets sound through, after a click where the browser wants one. */
    unlock(): Promise<void>;
    /** Finishes: the microphone closes, what was said is still answered. With now, the voice is silenced too. */
    end({ now }?: {
        now?: boolean | undefined;
    }): Promise<Ended>;
    /** Fails as a network would, for ms milliseconds: for demonstrations and tests. */
    cut(ms: number): void;
}
