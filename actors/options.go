package actors

import (
	"time"

	"github.com/rs/zerolog"

	"aila/actors/voice"
)

// Options are the server's settings as sessions need them. Zero fields take their defaults.
type Options struct {
	// Log takes the supervision log. The zero Logger discards it.
	Log zerolog.Logger
	// Voices are what a start may name; the first is the default. None: the echo.
	Voices []NamedVoice
	// MaxSessions bounds the sessions that live at once. Zero means 20000.
	MaxSessions int
	// MaxMessageBytes is what session_started tells; the socket enforces it. Zero means 256 KiB.
	MaxMessageBytes int64
	// MaxAudioRate is in seconds of audio a second; zero or below means no limit.
	MaxAudioRate float64
	// ResumeWindow is how long a session waits without a socket. Zero means 2 minutes.
	ResumeWindow time.Duration
	// IdleTimeout is how long a session lives in which nobody says anything. Zero means 10 minutes.
	IdleTimeout time.Duration
	// MaxSession is how long a session lives at most. Zero means 4 hours.
	MaxSession time.Duration
	// Heartbeat is what session_started tells; the socket keeps it. Zero means 10 seconds.
	Heartbeat time.Duration
	// FaultInjection lets an operator crash an actor on purpose.
	FaultInjection bool
	// controlRate is how many numbered controls and texts may come in a second. Zero means
	// 100; tests play faster.
	controlRate int
	// Window is how many messages of a session may be in flight between its socket and its
	// voice. Zero means 64.
	Window int
}

// NamedVoice is a voice under the name by which clients ask for it.
type NamedVoice struct {
	Name  string
	Voice voice.Voice
}

// What is kept for replay while a client is away or does not acknowledge: replayBytes, or
// replayAudio of the voice's answer, whichever is more.
const (
	replayBytes = 1 << 20
	replayAudio = 30 * time.Second
)

// How long an ended session can still be asked for what was not acknowledged, and how long
// before its maximum duration, or its token's end, a session is warned.
const (
	lingerAfterEnd   = 30 * time.Second
	warnBeforeMax    = time.Minute
	warnBeforeExpiry = time.Minute
)

func (o Options) withDefaults() Options {
	if len(o.Voices) == 0 {
		o.Voices = []NamedVoice{{"echo", voice.NewEcho()}}
	}
	orInt(&o.MaxSessions, 20000)
	orInt(&o.MaxMessageBytes, 256<<10)
	orInt(&o.ResumeWindow, 2*time.Minute)
	orInt(&o.IdleTimeout, 10*time.Minute)
	orInt(&o.MaxSession, 4*time.Hour)
	orInt(&o.Heartbeat, 10*time.Second)
	orInt(&o.Window, 64)
	orInt(&o.controlRate, 100)
	return o
}

// orInt gives a number its default.
func orInt[T ~int | ~int64](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}
