import type { Finished } from "./jitter.js";
export interface CaptureOptions {
    /** The session's sample rate. */
    rate: number;
    /** Samples in a frame. */
    frame: number;
}
/** One frame that was heard: data is 16-bit samples, peak from 0 to 1. */
export interface Heard {
    data: ArrayBuffer;
    peak: number;
}
export interface PlayerOptions {
    /** The session's sample rate. */
    rate: number;
    /** Whether all samples played are reported, for measurements. */
    tap: boolean;
}
export type PlayerOrder = {
    order: "push";
    item: string;
    data: Int16Array;
} | {
    order: "end" | "clear";
    item: string;
};
/** Where the player is: counts are in samples of the session's rate, times on the context's clock. */
export interface PlayerAt {
    kind: "at";
    item: string;
    /** Samples of the item that have left the player. */
    played: number;
    buffered: number;
    target: number;
    underruns: number;
    busy: boolean;
    /** The loudest since the last report, from 0 to 1. */
    peak: number;
    time: number;
    /** When sound was last put out; only with tap. */
    soundAt: number;
}
export type PlayerReport = PlayerAt | ({
    kind: "finished";
} & Finished) | {
    kind: "tap";
    item: string;
    data: Int16Array;
};
