export declare class Pulse {
    #private;
    private readonly live;
    private readonly ping;
    private readonly dead;
    private readonly woke;
    /** ping asks; dead is told when nothing came; woke when the machine slept. */
    constructor(live: () => boolean, ping: () => void, dead: (why: string) => void, woke: () => void);
    /** Something came. */
    heard(): void;
    /** Asks now. */
    beat(): void;
    /** Asks now, and does not wait long. */
    probe(): void;
    stop(): void;
}
