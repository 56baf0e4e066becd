// Aila in the browser: a voice session over one WebSocket that loses nothing.
//
//   import { Aila } from "https://voice.example/client/aila.js";
//   const session = await Aila.connect({ url: "wss://voice.example/ws" });

import { connectWith, ConnectError } from "./connect.js";
import type { ConnectOptions } from "./options.js";
import type { Session } from "./session.js";

export const Aila = {
  /** Begins a session, or takes up the one that the page had before it was reloaded. Call it from a click. */
  connect: (options: ConnectOptions = {}): Promise<Session> => connectWith(options, new URL("./aila-worklet.js", import.meta.url)),
};

export default Aila;
export { ConnectError };
export type { ConnectOptions, Session };
export type { Ended } from "./closes.js";
export type { SessionEvents, State, Stats } from "./events.js";
export type { MicrophoneOptions, MicrophoneState } from "./microphone.js";
export type * as proto from "./proto.js";
export type { SoundState } from "./sound.js";
