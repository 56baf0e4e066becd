package proto

import (
	"sync"
	"time"
)

// MaxSeq is the largest sequence number: 2^53-1, what every JSON reader holds exactly.
const MaxSeq = 1<<53 - 1

// Inbound is a message from a client. The set is sealed: codec.go lists it.
type Inbound interface{ inbound() }

// AudioInbound is what the session's audio child hears: *AudioIn and *GapIn.
type AudioInbound interface {
	Numbered
	audioInbound()
}

// ControlInbound is what the session's control child carries out.
type ControlInbound interface {
	Inbound
	controlInbound()
}

// Numbered is a message that may carry a sequence number (marked N in the protocol).
type Numbered interface {
	Inbound
	// Header is the message's own Head, not a copy.
	Header() *Head
}

// Head is what numbered messages have in common.
type Head struct {
	// Seq is the message's number from 1 to MaxSeq; 0 when it carries none.
	Seq int64
	// Wrapped says that Seq holds only the low 32 bits, as binary frames send them. The
	// session resolves it with Nearest.
	Wrapped bool
	// ID comes back as ref in the answer or error that the message causes; empty: none.
	ID string
}

// Header implements Numbered.
func (h *Head) Header() *Head { return h }

// AudioIn is one audio_chunk from a client. It is pooled: whoever holds it last calls
// Release, and then nobody may touch it.
type AudioIn struct {
	Head
	// Data is the audio as negotiated, decoded. It belongs to the AudioIn.
	Data []byte
	// Binary says that it came as a binary message.
	Binary bool
	// ReadAt is when the message was read, in nanoseconds of the reader's clock; the codec
	// leaves it 0.
	ReadAt int64
	// Samples per channel in Data; 0 until the session has checked the audio.
	Samples int64
}

// GapIn says that the client has no audio for a while.
type GapIn struct {
	Head
	// Samples per channel that are missing, at least 1; the session bounds them to MaxGap.
	Samples int64
	// Reason is overflow or muted.
	Reason string
}

// TextIn is what the user typed instead of speaking.
type TextIn struct {
	Head
	// Text is at most MaxText bytes.
	Text string
}

// AckIn says that the client has all server messages up to Seq.
type AckIn struct{ Seq int64 }

// Playback says what the user has really heard of an item.
type Playback struct {
	ItemID string
	// PlayedMS is in milliseconds since the item's beginning.
	PlayedMS int64
	// State is playing, done or cleared.
	State string
}

// Ping asks for a Pong, in any state.
type Ping struct {
	// ID and TMS come back in the Pong; empty and nil: not sent.
	ID  string
	TMS *int64
}

// Start begins a session.
type Start struct {
	ID string
	// Audio is the zero Format for the default. The session checks that it is supported.
	Audio Format
	// Voice is empty for the server's default.
	Voice string
	// Binary asks for audio as binary messages.
	Binary bool
	// Metadata is at most MaxMetadata bytes as it was sent.
	Metadata map[string]string
}

// Resume takes a session up again on a new socket.
type Resume struct {
	ID        string
	SessionID string
	Token     string
	// LastSeq is the highest contiguous server seq that the client has; 0: none.
	LastSeq int64
}

// Refresh brings a fresh token for a session whose token is about to expire.
type Refresh struct {
	ID    string
	Token string
	// Expires is when the token ends; zero: never. Whoever checked it sets it; the codec
	// leaves it alone.
	Expires time.Time
}

// Pause makes the voice stop hearing and holds its answer.
type Pause struct{ Head }

// Continue ends a Pause.
type Continue struct{ Head }

// Commit says that the user's turn is over.
type Commit struct{ Head }

// Interrupt is barge-in: what the voice has not yet said is dropped.
type Interrupt struct {
	Head
	// ItemID is the item to interrupt; empty: the current one.
	ItemID string
	// PlayedMS is how much of it the user heard, in milliseconds; nil: not said.
	PlayedMS *int64
}

// End finishes the session.
type End struct{ Head }

// Refused is a message that the codec refused, in place of the message itself: it keeps its
// place in the order, so that the session says the error once and leaves the hole.
type Refused struct {
	Head
	// Fault is what the client will be told, unless the order silences it.
	Fault Fault
	// Numbered says that the message is of a numbered type. With Seq 0, and unless BadSeq, it
	// carried no seq. Of an unknown type or action it is false, whatever Seq is.
	Numbered bool
	// BadSeq says that its seq was there but was no integer in range: always answered.
	BadSeq bool
}

// Bounds of the fields of client messages.
const (
	// MaxID is in characters.
	MaxID = 64
	// MaxText and MaxMetadata are in bytes.
	MaxText     = 8 << 10
	MaxMetadata = 4 << 10
	// MaxGapSeconds is the longest gap, in seconds of audio.
	MaxGapSeconds = 120
	// MaxDepth is how deep a message's JSON may nest.
	MaxDepth = 16
)

func (*AudioIn) inbound()   {}
func (*GapIn) inbound()     {}
func (*TextIn) inbound()    {}
func (*AckIn) inbound()     {}
func (*Playback) inbound()  {}
func (*Ping) inbound()      {}
func (*Start) inbound()     {}
func (*Resume) inbound()    {}
func (*Refresh) inbound()   {}
func (*Pause) inbound()     {}
func (*Continue) inbound()  {}
func (*Commit) inbound()    {}
func (*Interrupt) inbound() {}
func (*End) inbound()       {}
func (*Refused) inbound()   {}

func (*AudioIn) audioInbound() {}
func (*GapIn) audioInbound()   {}

func (*TextIn) controlInbound()    {}
func (*Start) controlInbound()     {}
func (*Refresh) controlInbound()   {}
func (*Pause) controlInbound()     {}
func (*Continue) controlInbound()  {}
func (*Commit) controlInbound()    {}
func (*Interrupt) controlInbound() {}
func (*End) controlInbound()       {}

var audioIns = sync.Pool{New: func() any { return new(AudioIn) }}

// NewAudioIn takes an empty AudioIn from the pool. Its Data has length 0 and whatever
// capacity it had before.
func NewAudioIn() *AudioIn { return audioIns.Get().(*AudioIn) }

// Release gives the AudioIn and its Data back. Call it once.
func (a *AudioIn) Release() {
	data := a.Data[:0]
	if cap(data) > 64<<10 {
		data = nil // one long frame must not pin its memory for ever
	}
	*a = AudioIn{Data: data}
	audioIns.Put(a)
}
