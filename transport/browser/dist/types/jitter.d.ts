/** What was played to the end, or cut off; played counts its samples. */
export interface Finished {
    item: string;
    played: number;
    how: "done" | "cleared";
}
export declare class Jitter {
    #private;
    private readonly rate;
    private readonly finished;
    /** Samples that wait to be played. */
    buffered: number;
    /** How many samples are waited for before playing begins. */
    target: number;
    /** How often a late frame was missed. */
    underruns: number;
    /** The item that was played last, and how much of it. */
    item: string;
    played: number;
    constructor(rate: number, finished: (f: Finished) => void);
    /** Tells whether anything is, or is about to be, played. */
    get busy(): boolean;
    /** Adds audio of an item, unless it was cleared. */
    push(item: string, data: Float32Array): void;
    /** Says that all audio of an item was pushed. */
    end(item: string): void;
    /** Fades an item out and throws the rest of it away, also what is yet to come. */
    clear(item: string): void;
    /** Fills out, with silence where there is nothing, and tells how many samples at its start are the voice's. */
    pull(out: Float32Array): number;
}
