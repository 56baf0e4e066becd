export type SoundState = 
/** Sound comes and goes. */
"running"
/** The browser waits for a touch or a key; the first one unlocks it. */
 | "blocked"
/** Something else has the device, such as a phone call. */
 | "interrupted"
/** The worklet could not be loaded. */
 | "failed" | "closed";
export declare class Sound {
    #private;
    private readonly changed;
    readonly context: AudioContext;
    /** Resolves when the worklet is loaded. */
    readonly ready: Promise<void>;
    state: SoundState;
    /** With a sampleRate the context runs at that rate instead of the device's. */
    constructor(worklet: string | URL, sampleRate: number | undefined, changed: (s: SoundState) => void);
    /** Asks the browser to let sound through; it does after a touch, a click or a key. */
    unlock(): Promise<void>;
    /** How far what is heard lies behind what is played, in seconds. */
    get latency(): number;
    close(): Promise<void>;
}
