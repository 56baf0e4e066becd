export declare class Emitter<Events extends object> {
    #private;
    /** Calls fn at each event of this name, until the function that it returns is called. */
    on<K extends keyof Events>(name: K, fn: (event: Events[K]) => void): () => void;
    /** Resolves with the next event of this name. */
    once<K extends keyof Events>(name: K): Promise<Events[K]>;
    /** The events of this name from now on, for `for await`; it ends with the session. */
    stream<K extends keyof Events>(name: K): AsyncGenerator<Events[K], void, undefined>;
    /** Tells everyone. An error in a listener is reported and hurts nobody else. */
    protected emit<K extends keyof Events>(name: K, event: Events[K]): void;
    /** Ends all streams, once they have given what they hold. */
    protected close(): void;
}
