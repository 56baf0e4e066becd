import { type Ended } from "./closes.js";
import type * as p from "./proto.js";
import { Ring } from "./ring.js";
import type { Store } from "./store.js";
/** What a channel is doing: moving is on the way to a new session after a drain. */
export type Phase = "connecting" | "live" | "reconnecting" | "moving" | "over";
export interface ChannelOwner {
    /** Takes each message from the server once; audio has its item_id. */
    receive(m: p.Outbound): void;
    phase(phase: Phase, why: string): void;
    /** A new session was begun on a new server; so many samples of audio came along. */
    moved(samples: number): void;
    over(ended: Ended): void;
}
export interface ChannelOptions {
    url: string;
    token: () => string | undefined | Promise<string | undefined>;
    voice?: string;
    audio: p.Format;
    binary: boolean;
    metadata?: Record<string, string>;
    store?: Store;
    /** How long the first connection may take, in milliseconds. */
    patience: number;
}
export declare class Channel {
    #private;
    private readonly owner;
    private readonly options;
    readonly ring: Ring;
    phase: Phase;
    id: string;
    format: p.Format;
    voice: string;
    resumes: number;
    /** The last round trip, in milliseconds. */
    rtt: number | undefined;
    constructor(owner: ChannelOwner, options: ChannelOptions);
    /** Numbers audio and sends it as soon as it may go. */
    audio(data: Uint8Array, samples: number): void;
    /** Says that there is no audio for so many samples. */
    gap(samples: number, reason: p.GapIn["reason"]): void;
    /** Numbers any other message and sends it as soon as it may go. */
    say(message: p.Control | p.Interrupt | p.TextIn): void;
    /** Sends what is not numbered; it is not sent when there is no live socket. */
    mention(message: p.Playback | p.Refresh | p.Ping): void;
    /**
     * Finishes the session: what was said before is still heard and answered. With now, it does
     * not wait long for a server that does not answer.
     */
    end(now?: boolean): void;
    /** Asks for an answer now, or dials now: the network changed, or the machine woke. */
    hurry(): void;
    /** The page goes away: the session waits for it, or for its next life. */
    leave(): void;
    /** Fails as a network would, for ms milliseconds. */
    cut(ms: number): void;
}
