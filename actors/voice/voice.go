// Package voice is the contract between a session and the voice that answers in it: an echo,
// an AI, a person. A backend is one folder that implements Voice and passes the conformance
// suite of voicetest unchanged.
//
// The life of a Stream: Open, then its methods, one at a time and in the order in which the
// user did things, then Close, once. What it answers it gives to its Answer, at once from
// within a method or later from a goroutine of its own. A Stream never logs and never keeps
// the audio or words it is given beyond what it needs to answer.
package voice

import (
	"context"
	"errors"
	"time"
)

// ErrLost is what a Stream's method or Open returns, wrapped or bare, when the far side
// cannot be reached. The session opens another stream, with backoff, and tells the user.
var ErrLost = errors.New("voice lost")

// Voice opens streams. Its methods may be called from any goroutine.
type Voice interface {
	// Open begins a stream. It may wait for the far side, until ctx ends; it runs on a
	// goroutine of its own. ctx says nothing about the stream's life, which Close ends.
	Open(ctx context.Context, s Setup, answer Answer) (Stream, error)
}

// Setup is what a stream is told about its session.
type Setup struct {
	// Session is the session's id, for the far side's own books.
	Session string
	// Encoding, SampleRate (per second and channel) and Channels are those of the audio in
	// both directions.
	Encoding   string
	SampleRate int
	Channels   int
	// Reopened says that an earlier stream of this session was lost or crashed.
	Reopened bool
}

// Stream is one conversation. No method waits: what the far side cannot take at once is
// queued by the backend within a bound of its own, and beyond it the stream is lost. An error
// says that this input did not reach the voice.
type Stream interface {
	// Write hears one chunk. Chunk.Data is valid until Write returns. A stream that answers
	// at once, from within Write, gives its audio to now, which is good for this call only and
	// saves the way through Answer; one that answers later ignores now.
	Write(c Chunk, now Reply) error
	// Silence hears that the user's audio is missing for so many samples per channel.
	Silence(samples int64) error
	// Text hears what the user typed.
	Text(text string) error
	// Commit hears that the user's turn is over.
	Commit() error
	// Interrupt drops what is not yet said of the item, or of the current one if item is
	// empty; played is how much of it the user heard, negative if not known. An unknown or
	// finished item is ignored.
	Interrupt(item string, played time.Duration) error
	// Pause hears that the user will not be heard for a while. The session holds back what
	// the stream goes on to answer.
	Pause() error
	// End hears that the user is done. The stream answers what is pending and then Finished.
	End() error
	// Played hears how much of an item the user has heard.
	Played(item string, played time.Duration, state string)
	// Close releases everything. No answer may follow it. It is called once, also after
	// ErrLost. It must not wait for a goroutine that answers: a session's actors run on
	// whichever goroutine has news for them, so this call may be running on that one.
	Close()
}

// Chunk is a piece of the user's audio.
type Chunk struct {
	// Data is whole samples, encoded as Setup says.
	Data []byte
	// Samples is how many, per channel.
	Samples int64
	// Seq is the client's number for the chunk, or the count of chunks where it does not number.
	Seq int64
}

// Answer takes what a stream says, in the order in which the user is to hear it. Audio and Say
// never wait, and may be called from any goroutine, but not from two at once.
type Answer interface {
	// Audio takes a piece of an item; it copies the data.
	Audio(Audio)
	// Say takes everything else.
	Say(Event)
	// Room waits until the session can take more without holding too much for a client that
	// is away, slow or paused; it returns an error when ctx or the stream ends. A backend
	// calls it from a goroutine of its own before it reads more from its far side, never from
	// within a Stream's method.
	Room(ctx context.Context) error
}

// Reply takes audio that is said at once, on the goroutine that called Write.
type Reply interface{ Audio(Audio) }

// Event is what a stream says besides audio. The set is closed.
type Event interface{ event() }

// Audio is a piece of an item. The first one of an item begins it.
type Audio struct {
	// Item is the backend's name for the answer this belongs to, not empty.
	Item string
	// Data is whole samples; the stream may use it again once Answer.Audio has returned.
	Data []byte
	// Samples per channel in Data.
	Samples int64
	// Re is the Chunk.Seq that this echoes; 0: none.
	Re int64
}

// ItemEnd ends an item.
type ItemEnd struct{ Item string }

// Thinking says that an answer is being prepared.
type Thinking struct{}

// SpeechStarted and SpeechStopped say where the user began and stopped to speak, in samples
// heard by this stream, silence included.
type (
	SpeechStarted struct{ Pos int64 }
	SpeechStopped struct{ Pos int64 }
)

// Interrupted says that an item was cut off; ItemEnd follows.
type Interrupted struct {
	Item string
	// ByUser says that the user's speech did it; otherwise it was Interrupt.
	ByUser bool
}

// Transcript is the words of an item so far; each replaces the last.
type Transcript struct {
	Item  string
	Voice bool // the voice's words; otherwise the user's
	Text  string
	Final bool
}

// Notice is something that the user should be told.
type Notice struct {
	Kind string // ai_voice or crisis
	Text string
}

// Lost says that the far side is gone; the stream will be closed and another opened. Err
// never holds audio, words or tokens.
type Lost struct{ Err error }

// Finished answers End: nothing more will be said.
type Finished struct{}

func (ItemEnd) event()       {}
func (Thinking) event()      {}
func (SpeechStarted) event() {}
func (SpeechStopped) event() {}
func (Interrupted) event()   {}
func (Transcript) event()    {}
func (Notice) event()        {}
func (Lost) event()          {}
func (Finished) event()      {}
