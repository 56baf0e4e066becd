import type { GapIn, Numbered } from "./proto.js";
/** One message on its way. */
export interface Entry {
    seq: number;
    message: Numbered;
    /** How many audio positions it takes. */
    samples: number;
    /** First sample since the session began. */
    pos: number;
}
export declare class Ring {
    #private;
    readonly rate: number;
    readonly limit: number;
    /** Samples that were never kept, because the ring was full. */
    overflowed: number;
    /** A ring of limit samples of unacknowledged audio at rate samples a second. */
    constructor(rate: number, limit: number);
    /** The number of the next message. */
    get next(): number;
    /** Samples of audio that wait to be acknowledged, or to be said missing. */
    get held(): number;
    /** How many messages wait to be acknowledged. */
    get size(): number;
    /** The highest number that the server has acknowledged. */
    get acked(): number;
    /** Numbers a message that holds no audio. */
    push(message: Numbered): number;
    /** Numbers audio of so many samples. When the ring is full it is left out, and a gap says so later. */
    audio(data: Uint8Array, samples: number): void;
    /** Numbers a gap of so many samples, in as many messages as it takes. */
    gap(samples: number, reason: GapIn["reason"]): void;
    /** The message to send next; the cursor stays. */
    peek(): Entry | undefined;
    /** Moves the cursor past the message that peek gave. */
    advance(): void;
    /** Forgets what the server has. It tells whether seq can be: false for one never given out. */
    ack(seq: number): boolean;
    /** Moves the cursor back (or on) to seq, within what is kept. */
    rewind(seq: number): void;
    /** Puts a gap in place of refused audio, so that its number can be taken. Tells whether it was there. */
    mend(seq: number): boolean;
    /**
     * Numbers everything that is kept anew from seq, for another session: the user's audio, gaps,
     * text and ends of turns come along, orders to the old session do not.
     */
    renumber(seq: number): void;
}
