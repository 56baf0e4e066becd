import { ConnectError } from "./connect.js";
import type { ConnectOptions } from "./options.js";
import type { Session } from "./session.js";
export declare const Aila: {
    /** Begins a session, or takes up the one that the page had before it was reloaded. Call it from a click. */
    connect: (options?: ConnectOptions) => Promise<Session>;
};
export default Aila;
export { ConnectError };
export type { ConnectOptions, Session };
export type { Ended } from "./closes.js";
export type { SessionEvents, State, Stats } from "./events.js";
export type { MicrophoneOptions, MicrophoneState } from "./microphone.js";
export type * as proto from "./proto.js";
export type { SoundState } from "./sound.js";
