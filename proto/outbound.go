package proto

// Outbound is a message from the server. The set is sealed: codec.go lists it.
type Outbound interface{ outbound() }

// Sequenced is a message that carries a server seq (marked S in the protocol) and is kept
// until the client has acknowledged it.
type Sequenced interface {
	Outbound
	// Number is where the message's own seq lies; the session fills it.
	Number() *int64
}

// Serial is what sequenced messages have in common.
type Serial struct {
	// Seq counts all sequenced messages of a session, from 1.
	Seq int64 `json:"seq"`
}

// Number implements Sequenced.
func (s *Serial) Number() *int64 { return &s.Seq }

// ResumeGrant is what a client needs to take its session up again.
type ResumeGrant struct {
	Token    string `json:"token"`
	WindowMS int64  `json:"window_ms"`
}

// Limits is what a session bounds its client to.
type Limits struct {
	MaxMessageBytes int64   `json:"max_message_bytes"`
	MaxAudioRate    float64 `json:"max_audio_rate"` // seconds of audio a second; 0: no limit
	ReplayMS        int64   `json:"replay_ms"`
	IdleMS          int64   `json:"idle_ms"`
	SessionMS       int64   `json:"session_ms"`
}

// SessionStarted is the first message of a session.
type SessionStarted struct {
	Serial
	SessionID   string      `json:"session_id"`
	Resume      ResumeGrant `json:"resume"`
	Audio       Format      `json:"audio"`
	Voice       string      `json:"voice"`
	Durability  string      `json:"durability"` // memory, disk or quorum: what an ack promises
	Limits      Limits      `json:"limits"`
	HeartbeatMS int64       `json:"heartbeat_ms"`
	Ref         string      `json:"ref,omitempty"`
}

// Range is the server seqs that follow a resume; To below From: none.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// SessionResumed answers a resume.
type SessionResumed struct {
	SessionID string      `json:"session_id"`
	LastSeq   int64       `json:"last_seq"` // highest contiguous client seq that the server has
	Replay    Range       `json:"replay"`
	Resume    ResumeGrant `json:"resume"`
	Ref       string      `json:"ref,omitempty"`
}

// SessionState says what the session is doing.
type SessionState struct {
	Serial
	State  State  `json:"state"`
	ItemID string `json:"item_id,omitempty"`
	Item   int    `json:"item,omitzero"` // with speaking: 1 to 65535, the item's number in binary frames
	Ref    string `json:"ref,omitempty"`
}

// State is what a session is doing.
type State string

// The states of a session. Waiting is seen by operators only: no socket is attached.
const (
	Listening         State = "listening"
	Thinking          State = "thinking"
	Speaking          State = "speaking"
	Paused            State = "paused"
	VoiceReconnecting State = "voice_reconnecting"
	Draining          State = "draining"
	Waiting           State = "waiting"
)

// EndReason is why a session ended.
type EndReason string

// The reasons for which a session ends.
const (
	EndClient      EndReason = "client"
	EndOperator    EndReason = "operator"
	EndIdle        EndReason = "idle"
	EndMaxDuration EndReason = "max_duration"
	EndFailed      EndReason = "failed"
	EndShutdown    EndReason = "shutdown"
)

// SessionEnded is the last message of a session.
type SessionEnded struct {
	Serial
	Reason      EndReason `json:"reason"`
	DurationMS  int64     `json:"duration_ms"`
	SamplesIn   int64     `json:"samples_in"` // every position taken: heard, gap or lost
	SamplesOut  int64     `json:"samples_out"`
	SamplesLost int64     `json:"samples_lost"` // part of SamplesIn
	Restarts    int64     `json:"restarts"`
}

// AudioOut is one audio_chunk of the voice's answer.
type AudioOut struct {
	Serial
	// Data is the audio as negotiated.
	Data   []byte
	ItemID string
	// Item is the item's number in binary frames; JSON does not carry it.
	Item uint16
	// Pos is the first sample within the item.
	Pos int64
	// Re is the client seq that an echo echoes; 0: absent. Binary frames do not carry it.
	Re int64
}

// AudioEnd closes an item.
type AudioEnd struct {
	Serial
	ItemID  string `json:"item_id"`
	Samples int64  `json:"samples"`
}

// SpeechStarted says where the user began to speak, in samples since the session began.
type SpeechStarted struct {
	Serial
	Pos int64 `json:"pos"`
}

// SpeechStopped says where the user stopped.
type SpeechStopped struct {
	Serial
	Pos int64 `json:"pos"`
}

// Interrupted tells the client to empty its playback queue now.
type Interrupted struct {
	Serial
	ItemID string `json:"item_id"`
	Reason string `json:"reason"` // user_speech or client
}

// Transcript is the words of an item; each replaces the last of that item and role.
type Transcript struct {
	Serial
	ItemID string `json:"item_id"`
	Role   string `json:"role"` // user or voice
	Text   string `json:"text"`
	Final  bool   `json:"final"`
}

// GapOut is input that never reached the voice, from FromPos up to but without ToPos.
type GapOut struct {
	Serial
	FromPos int64     `json:"from_pos"`
	ToPos   int64     `json:"to_pos"`
	Reason  GapReason `json:"reason"`
}

// GapReason is why input never reached the voice.
type GapReason string

// The reasons of a GapOut.
const (
	GapRestarted   GapReason = "actor_restarted"
	GapPaused      GapReason = "paused"
	GapUnavailable GapReason = "voice_unavailable"
)

// Notice is something that the user should be told.
type Notice struct {
	Serial
	// Kind is ai_voice, crisis, or token_expiring: the token ends in a minute or less.
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// AckOut says what the server has: the highest contiguous client seq, or in a session that
// does not number the count of frames; and the position.
type AckOut struct {
	Seq int64 `json:"seq"`
	Pos int64 `json:"pos"`
}

// GoAway announces that the session must end or move.
type GoAway struct {
	Reason     string `json:"reason"` // drain or max_duration
	TimeLeftMS int64  `json:"time_left_ms"`
	Action     string `json:"action"` // resume or end
}

// Fault is the error message of the wire. It is also a Go error between the rooms.
type Fault struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Fatal   bool   `json:"fatal"`
	Ref     string `json:"ref,omitempty"`
	// ClientSeq is the client message concerned; 0: absent.
	ClientSeq    int64 `json:"client_seq,omitzero"`
	RetryAfterMS int64 `json:"retry_after_ms,omitzero"`
}

// Pong answers a Ping.
type Pong struct {
	ID       string `json:"id,omitempty"`
	TMS      *int64 `json:"t_ms,omitzero"`
	ServerMS int64  `json:"server_ms"` // the server's clock, Unix milliseconds
}

func (*SessionStarted) outbound() {}
func (*SessionResumed) outbound() {}
func (*SessionState) outbound()   {}
func (*SessionEnded) outbound()   {}
func (*AudioOut) outbound()       {}
func (*AudioEnd) outbound()       {}
func (*SpeechStarted) outbound()  {}
func (*SpeechStopped) outbound()  {}
func (*Interrupted) outbound()    {}
func (*Transcript) outbound()     {}
func (*GapOut) outbound()         {}
func (*Notice) outbound()         {}
func (*AckOut) outbound()         {}
func (*GoAway) outbound()         {}
func (*Fault) outbound()          {}
func (*Pong) outbound()           {}
