/** How audio is encoded, the same in both directions of a session. */
export interface Format {
    encoding: "pcm16" | "pcmu" | "pcma" | "opus";
    /** Samples per second and channel. */
    sample_rate: number;
    channels: number;
}
export interface Start {
    type: "session_control";
    action: "start";
    id?: string;
    audio?: Format;
    voice?: string;
    binary?: boolean;
    metadata?: Record<string, string>;
}
export interface Resume {
    type: "session_control";
    action: "resume";
    id?: string;
    session_id: string;
    token: string;
    last_seq: number;
}
export interface Refresh {
    type: "session_control";
    action: "refresh";
    id?: string;
    token: string;
}
export interface Control {
    type: "session_control";
    action: "pause" | "continue" | "commit" | "end";
    seq?: number;
    id?: string;
}
export interface Interrupt {
    type: "session_control";
    action: "interrupt";
    seq?: number;
    id?: string;
    item_id?: string;
    played_ms?: number;
}
export interface AudioIn {
    type: "audio_chunk";
    seq?: number;
    id?: string;
    data: Uint8Array;
}
export interface GapIn {
    type: "gap";
    seq?: number;
    id?: string;
    samples: number;
    reason: "overflow" | "muted";
}
export interface TextIn {
    type: "text";
    seq?: number;
    id?: string;
    text: string;
}
export interface AckIn {
    type: "ack";
    seq: number;
}
export interface Playback {
    type: "playback";
    item_id: string;
    played_ms: number;
    state: "playing" | "done" | "cleared";
}
export interface Ping {
    type: "ping";
    id?: string;
    t_ms?: number;
}
/** What carries a seq of the client's. */
export type Numbered = Control | Interrupt | AudioIn | GapIn | TextIn;
/** What a client may say. */
export type Inbound = Numbered | Start | Resume | Refresh | AckIn | Playback | Ping;
export interface ResumeGrant {
    token: string;
    window_ms: number;
}
export interface Limits {
    max_message_bytes: number;
    max_audio_rate: number;
    replay_ms: number;
    idle_ms: number;
    session_ms: number;
}
export interface SessionStarted {
    type: "session_started";
    seq: number;
    session_id: string;
    resume: ResumeGrant;
    audio: Format;
    voice: string;
    durability: "memory" | "disk" | "quorum";
    limits: Limits;
    heartbeat_ms: number;
    ref?: string;
}
export interface Range {
    from: number;
    to: number;
}
export interface SessionResumed {
    type: "session_resumed";
    session_id: string;
    last_seq: number;
    replay: Range;
    resume: ResumeGrant;
    ref?: string;
}
export type ServerState = "listening" | "thinking" | "speaking" | "paused" | "voice_reconnecting" | "draining";
export interface SessionState {
    type: "session_state";
    seq: number;
    state: ServerState;
    item_id?: string;
    /** With speaking: the item's number in binary frames. */
    item?: number;
    ref?: string;
}
export type EndReason = "client" | "operator" | "idle" | "max_duration" | "failed" | "shutdown";
export interface SessionEnded {
    type: "session_ended";
    seq: number;
    reason: EndReason;
    duration_ms: number;
    /** Every position taken: heard, gap or lost. */
    samples_in: number;
    samples_out: number;
    /** Part of samples_in. */
    samples_lost: number;
    restarts: number;
}
export interface AudioOut {
    type: "audio_chunk";
    seq: number;
    data: Uint8Array;
    item_id: string;
    /** The item's number; only in binary frames, where item_id is still to be found from it. */
    item?: number;
    /** First sample within the item. */
    pos: number;
    /** The client seq that an echo echoes; never in binary frames. */
    re?: number;
}
export interface AudioEnd {
    type: "audio_end";
    seq: number;
    item_id: string;
    samples: number;
}
export interface SpeechStarted {
    type: "speech_started";
    seq: number;
    pos: number;
}
export interface SpeechStopped {
    type: "speech_stopped";
    seq: number;
    pos: number;
}
export interface Interrupted {
    type: "interrupted";
    seq: number;
    item_id: string;
    reason: "user_speech" | "client";
}
export interface Transcript {
    type: "transcript";
    seq: number;
    item_id: string;
    role: "user" | "voice";
    /** Cumulative: each replaces the last of the same item and role. */
    text: string;
    final: boolean;
}
export interface GapOut {
    type: "gap";
    seq: number;
    from_pos: number;
    to_pos: number;
    reason: "actor_restarted" | "paused" | "voice_unavailable";
}
export interface Notice {
    type: "notice";
    seq: number;
    kind: "ai_voice" | "crisis" | "token_expiring";
    text: string;
}
export interface AckOut {
    type: "ack";
    seq: number;
    pos: number;
}
export interface GoAway {
    type: "goaway";
    reason: "drain" | "max_duration";
    time_left_ms: number;
    action: "resume" | "end";
}
export type Code = "bad_json" | "unknown_type" | "unknown_action" | "bad_field" | "bad_audio" | "bad_seq" | "already_started" | "not_started" | "rate_limited" | "actor_restarted" | "voice_unavailable" | "unsupported_audio" | "unknown_voice" | "resume_refused" | "replay_gone" | "overloaded" | "internal";
export interface Fault {
    type: "error";
    code: Code;
    message: string;
    fatal: boolean;
    ref?: string;
    client_seq?: number;
    retry_after_ms?: number;
}
export interface Pong {
    type: "pong";
    id?: string;
    t_ms?: number;
    server_ms: number;
}
/** What carries a seq of the server's. */
export type Sequenced = SessionStarted | SessionState | SessionEnded | AudioOut | AudioEnd | SpeechStarted | SpeechStopped | Interrupted | Transcript | GapOut | Notice;
/** What a server may say. */
export type Outbound = Sequenced | SessionResumed | AckOut | GoAway | Fault | Pong;
