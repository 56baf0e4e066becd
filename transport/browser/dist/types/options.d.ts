import type { MicrophoneOptions } from "./microphone.js";
export interface ConnectOptions {
    /** The server's WebSocket, such as wss://voice.example/ws. Default: /ws on the page's own server. */
    url?: string | URL;
    /** A client token, or a function that gets a fresh one whenever one is needed. */
    token?: string | (() => string | Promise<string>);
    /** Which voice answers. Default: the server's. */
    voice?: string;
    /** Opens the microphone at once (true), with options, or not at all (false). Default: true. */
    microphone?: boolean | MicrophoneOptions;
    /** Begins muted. */
    muted?: boolean;
    /** The session's samples a second: 8000, 16000, 24000 (the default), 44100 or 48000. */
    sampleRate?: number;
    /** How long a frame is, from 20 (the default) to 40 milliseconds. */
    frameMs?: number;
    /** Audio as binary messages (the default) or, for eyes, as JSON. */
    binary?: boolean;
    /** Strings that operators may see. */
    metadata?: Record<string, string>;
    /** Takes the session up again after the page was reloaded (the default), by a note in the tab's sessionStorage. */
    resumeAfterReload?: boolean;
    /** How long the first connection may take, in milliseconds. Default: 15 000. */
    patience?: number;
    /** Where the worklet lies. Default: beside this module. */
    worklet?: string | URL;
    /** Runs the audio device at this rate instead of its own. Firefox refuses that with a microphone. */
    deviceRate?: number;
    /** Reports all samples as they are played, for measurements. */
    tap?: boolean;
}
