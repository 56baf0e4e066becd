package actors

import (
	"sync"
	"time"

	"aila/actors/voice"
	"aila/proto"
)

// The wire's messages are the actors' messages. What never crosses the wire lives here: who
// sends it to whom stands above each group.

// The gateway to the session manager.
type (
	// enter asks for a new session. reply has room for the one answer.
	enter struct {
		rec     *record
		out     proto.Outlet
		expires time.Time // the token; zero: never
		reply   chan *inlet
	}
	// panicNow makes the manager panic: fault injection.
	panicNow struct{}
)

// The manager, the gateway, the inlet and the clock to a client.
type (
	// begin says that the session is in the books. The client answers the gateway's enter.
	begin struct {
		in      *inlet
		expires time.Time // the token; zero: never
		reply   chan *inlet
	}
	// attach asks for the session on a new socket. reply has room for the one answer.
	attach struct {
		hello proto.Hello
		out   proto.Outlet
		reply chan attached
	}
	// attached answers: exactly one field is set.
	attached struct {
		in    *inlet
		fault *proto.Fault
	}
	// hangup says that an inlet's socket is gone.
	hangup struct {
		in    *inlet
		close proto.Close
	}
	// endSession orders the end.
	endSession struct{ reason proto.EndReason }
	// depart tells the client that the server is going.
	depart struct{ left time.Duration }
	// tick says that one of the session's deadlines may have passed.
	tick struct{}
	// farewell goes to an actor that has stopped, and so to nobody: its PID, on whose cached
	// process all of the session hangs, lets go of it only when it is used once more.
	farewell struct{}
	// crashChild is fault injection on its way to a child.
	crashChild struct {
		actor   string
		onFrame bool
	}
)

// IgnoreDeadLetterLogging tells the library that nobody is missed.
func (farewell) IgnoreDeadLetterLogging() {}

// A client to its children: the wire's messages as they came, and fault injection.
type crashOrder struct{ onFrame bool }

// The children to their client, about the message that is in hand.
type (
	// refusal says that it was refused.
	refusal struct{ fault proto.Fault }
	// heard is an audio frame that its voice has heard; the frame comes back with it.
	heard proto.AudioIn
	// muffled is an audio frame that came while the session was paused.
	muffled proto.AudioIn
	// unheard is a message that the voice could not take.
	unheard struct{ msg proto.Inbound }
	// done is any other message, carried out.
	done struct{ msg proto.Inbound }
)

// Audio to voice.
type (
	// listen is an audio frame to be heard.
	listen proto.AudioIn
	// silence is a gap to be heard as such.
	silence struct{ gap *proto.GapIn }
)

// The control child to the voice, and the voice to itself once its answers went out.
type (
	turn    struct{ msg proto.ControlInbound }
	settled struct{ msg proto.Inbound }
)

// A client to its voice: what the user has heard, for an item by the backend's own name.
type played struct {
	item string
	msg  *proto.Playback
}

// The voice's goroutine to the voice.
type (
	// opened is the end of an attempt to open a stream.
	opened struct {
		answer *answer
		stream voice.Stream
		err    error
	}
	// reopen says that it is time for the next attempt.
	reopen struct{}
)

// The voice to its client, with the number of its incarnation: what an incarnation said that
// has crashed since is old news, and a failure overtakes what was said before it.
type (
	voiceUp   struct{ incarnation int64 }
	voiceDown struct{ incarnation int64 }
	finished  struct{}
)

// utterance is what a stream says, on its way to its voice and on to the client, who gives it
// back to the pool.
type utterance struct {
	from *answer
	// event is nil for audio.
	event voice.Event
	audio voice.Audio
	// buf holds audio.Data, unless that was said from within Write: then it is the frame's own,
	// and good until the client has booked the frame.
	buf []byte
}

// own makes the audio the utterance's own.
func (u *utterance) own() {
	u.buf = append(u.buf[:0], u.audio.Data...)
	u.audio.Data = u.buf
}

var utterances = sync.Pool{New: func() any { return new(utterance) }}

// release gives the utterance and its buffer back. Call it once.
func (u *utterance) release() {
	*u = utterance{buf: u.buf[:0]}
	utterances.Put(u)
}
