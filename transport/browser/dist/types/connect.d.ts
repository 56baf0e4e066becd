import type { Ended } from "./closes.js";
import type { ConnectOptions } from "./options.js";
import { Session } from "./session.js";
/** What connect throws when there will be no session; ended says why. */
export declare class ConnectError extends Error {
    readonly ended: Ended;
    readonly name = "ConnectError";
    constructor(ended: Ended);
}
/** Connects, with the worklet where the bundle knows it to be. */
export declare function connectWith(options: ConnectOptions, worklet: string | URL): Promise<Session>;
