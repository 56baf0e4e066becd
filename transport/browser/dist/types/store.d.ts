import type { Format } from "./proto.js";
/** A session that a page left. */
export interface Saved {
    url: string;
    session: string;
    token: string;
    window_ms: number;
    audio: Format;
    voice: string;
    /** The highest server seq that the page had. */
    last: number;
    /** When the page left, in milliseconds since 1970; 0: it has not, so the session is not free to take. */
    left: number;
}
/** Where it is remembered. */
export interface Store {
    load(): Saved | undefined;
    save(saved: Saved): void;
    clear(): void;
}
/** A store in the tab's sessionStorage; it does nothing where there is none. */
export declare function tabStore(key?: string): Store;
