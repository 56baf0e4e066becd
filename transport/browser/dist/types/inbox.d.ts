export declare class Inbox {
    #private;
    private readonly send;
    /** The highest server seq that has arrived with all before it. */
    last: number;
    /** send is called when an ack is due. */
    constructor(send: (seq: number) => void);
    /** Judges a message: new (and counted), had before, or with one missing before it. */
    take(seq: number): "new" | "old" | "hole";
    /** Sends the ack that is due now rather than later. */
    flush(): void;
    /** Begins anew after seq, for another session or a resume (which acknowledges by itself). */
    reset(seq: number): void;
}
