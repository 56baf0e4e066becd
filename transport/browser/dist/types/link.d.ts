/** What a link tells its owner. */
export interface LinkOwner {
    /** The socket is open; nothing was sent on it yet. */
    opened(): void;
    message(data: string | ArrayBuffer): void;
    /** The socket is gone; code 1006 when it went without a word. */
    lost(code: number, reason: string): void;
}
/** More bytes than this waiting in the browser, and a socket takes no more audio for now. */
export declare const HIGH_WATER: number;
/** Full jitter (anything from none to the whole delay, which doubles) for the attempt, from 0. */
export declare function fullJitter(attempt: number, random?: () => number): number;
export declare class Link {
    #private;
    private readonly owner;
    private readonly url;
    constructor(owner: LinkOwner, url: string);
    /** Opens a socket after delay milliseconds, in place of one that there is. */
    open(protocols: () => Promise<string[]>, delay: number): void;
    /** Sends at once. It tells whether there was an open socket to send on. */
    send(data: string | Uint8Array<ArrayBuffer>): boolean;
    /** Bytes that wait in the browser. */
    get buffered(): number;
    /** Takes the socket for lost, whatever it says; nothing more is heard of it. */
    drop(code: number, reason: string): void;
    /** As drop, and no socket is opened for ms milliseconds: a network that fails, for demos and tests. */
    cut(ms: number): void;
    /** Lets go of the socket without a word to the owner. */
    close(code: number): void;
}
