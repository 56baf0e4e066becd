import type { Ended } from "./closes.js";
import type { MicrophoneState } from "./microphone.js";
import type * as p from "./proto.js";
import type { SoundState } from "./sound.js";
/** What a session is doing, for people to see. */
export type State = "connecting" | "listening" | "thinking" | "speaking" | "paused" | "reconnecting" | "ended";
export interface Stats {
    /** The last round trip to the server, in milliseconds. */
    rtt_ms: number | undefined;
    /** Audio that the server has not yet acknowledged, in milliseconds. */
    unacknowledged_ms: number;
    /** Audio that waits to be played, and how much is waited for, in milliseconds. */
    buffered_ms: number;
    target_ms: number;
    /** How often audio came too late to be played in time. */
    underruns: number;
    /** How often the session was taken up again. */
    resumes: number;
    /** How often it moved to a new server. */
    moves: number;
    /** Audio of the user that no voice will hear, in milliseconds. */
    lost_ms: number;
}
export interface SessionEvents {
    /** The state changed; because says more: "network", "voice", "drain", or the reason of the end. */
    state: {
        state: State;
        because?: string;
    };
    /** The words of either side. */
    transcript: p.Transcript;
    /** Something that the user should be told. */
    notice: p.Notice;
    /** The user began or ceased to speak, as the voice hears it. */
    speech: p.SpeechStarted | p.SpeechStopped;
    /** An answer was cut off. */
    interrupted: p.Interrupted;
    /** Input that never reached the voice. */
    gap: p.GapOut;
    /** The session must end or move within a time; a move is made by itself. */
    goaway: p.GoAway;
    /** A session was taken up again after so many milliseconds. */
    resumed: {
        resumes: number;
        away_ms: number;
    };
    /** A new session was begun on a new server, with so much unheard audio. */
    moved: {
        id: string;
        carried_ms: number;
    };
    /** A fault that the server tells; a fatal one is followed by ended. */
    error: p.Fault;
    /**
     * About 50 times a second and side: how loud, from 0 to 1. With tap, sounded_at is when the
     * voice was last heard, in seconds of the context's clock.
     */
    level: {
        side: "user" | "voice";
        peak: number;
        sounded_at?: number;
    };
    /** Four times a second. */
    stats: Stats;
    /** The microphone's state, and what the browser does to its sound. */
    microphone: {
        state: MicrophoneState;
        settings?: MediaTrackSettings;
    };
    /** Whether sound can be heard; blocked until the user touches the page. */
    sound: {
        state: SoundState;
    };
    /** A frame from the microphone, as it is sent. */
    captured: {
        samples: Int16Array;
    };
    /** A frame of the voice's, as it came. */
    audio: {
        item_id: string;
        pos: number;
        samples: Int16Array;
    };
    /** Samples as they were played; only with tap. */
    played: {
        item_id: string;
        samples: Int16Array;
    };
    /** Every message from the server, as it is. */
    message: p.Outbound;
    /** The session is over. */
    ended: Ended;
}
