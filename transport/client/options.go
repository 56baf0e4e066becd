package client

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"aila/proto"
)

// Options says what kind of session Dial starts. The zero value is a good client: the default
// voice and format, JSON, reconnecting.
type Options struct {
	// Audio is the format of both directions. Zero means the server's default.
	Audio proto.Format
	// Voice is the voice to speak with. Empty means the server's default.
	Voice string
	// Binary sends and receives audio as binary messages: a quarter fewer bytes than JSON.
	Binary bool
	// Metadata is shown to operators, at most proto.MaxMetadata bytes in all.
	Metadata map[string]string
	// Token authorises the client; empty: none is sent. It travels in a header only.
	Token string
	// Unnumbered is the simplest client there is: no start, no seq. The session begins with
	// the first Send, in the default format, and a resume loses what was in flight. For tests.
	Unnumbered bool
	// KeepInterrupted delivers the audio of an item also after Interrupt. By default it is
	// thrown away, as the protocol asks of players.
	KeepInterrupted bool

	// RingDuration bounds how much unacknowledged audio is kept. Zero means 60 s.
	RingDuration time.Duration
	// RingBytes bounds its size. Zero means 8 MiB.
	RingBytes int
	// Window is how many bytes of audio may be on the way, written but not acknowledged. It
	// keeps a backlog from being answered faster than the answer can be read. Zero means
	// 128 KiB, below zero any number.
	Window int
	// GapOnOverflow says what Send does with audio beyond these bounds: with it the audio
	// becomes part of a gap, which the server is told of; without it Send returns ErrFull.
	GapOnOverflow bool
	// Inline writes on the goroutine that calls Send, which then may wait for the network.
	// By default a goroutine of the session writes, and Send never waits.
	Inline bool

	// OnEvent is given every message from the server, in order, one at a time, on the
	// session's reading goroutine; it may run before Dial returns. The message and its Data
	// are valid until it returns. It may call all methods but Wait, Flush and Room. While it
	// runs nothing is read: a server cuts a client that reads too slowly. Nil: none.
	OnEvent func(s *Session, m proto.Outbound)
	// Events is given the same messages, to keep, after OnEvent. The session waits while it
	// is full and closes it when the session is done. Nil: none.
	Events chan<- proto.Outbound
	// Trace is told of what the protocol does underneath. Nil: nobody is.
	Trace *Trace

	// Reconnect says how lost sockets are replaced.
	Reconnect Reconnect
	// Heartbeat is after how much silence the client asks whether the server is there; after
	// 2.5 times as much the socket is taken for lost. Zero means what the server suggests,
	// else 10 s.
	Heartbeat time.Duration
	// ConnectTimeout bounds a connect and, after it, the wait for the answer to start or
	// resume. Zero means 10 s.
	ConnectTimeout time.Duration

	// DialContext replaces the dialer of the sockets. Nil means net.Dialer's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS replaces the default configuration of wss. Nil: the default.
	TLS *tls.Config
	// HTTPClient replaces the client of the handshake; then DialContext and TLS are not used.
	// Many sessions that need a dialer of their own kind should share one. It must not keep
	// response bodies from being written to.
	HTTPClient *http.Client
	// Header is added to the handshake. Nil: nothing is.
	Header http.Header
}

// Reconnect says how a lost socket is replaced: after a wait drawn at random between nothing
// and a limit that doubles with each failure in a row (full jitter).
type Reconnect struct {
	// Off ends the session with its first socket.
	Off bool
	// First lets Dial itself try again, until its context ends, where trying again can help:
	// the server cannot be reached or is overloaded.
	First bool
	// Base is the first limit. Zero means 250 ms.
	Base time.Duration
	// Cap is the largest limit. Zero means 5 s.
	Cap time.Duration
	// Attempts is after how many failures in a row to give up. Zero: not before the session's
	// resume window, which the server names, has passed.
	Attempts int
	// Jitter draws a wait in [0, limit). Nil means at random.
	Jitter func(limit time.Duration) time.Duration
}

// Trace is told of what the protocol does, for measurements. Any field may be nil. Its
// functions run on the session's goroutine, before the event that belongs to them, and must
// not wait.
type Trace struct {
	// Connected: a socket is open, took long after dialing began, its handshake included.
	Connected func(took time.Duration)
	// Lost: a socket ended. c.Code is 0 where no close frame came; err says why, or is nil.
	Lost func(c proto.Close, err error)
	// Resumed: the session was taken up again, took long after its socket was lost; so many
	// messages were not acknowledged and are sent again.
	Resumed func(took time.Duration, again int)
	// Acked: the server has all up to seq.
	Acked func(seq, pos int64, at time.Time)
	// Retry: the next connect will be tried after wait; attempt counts from 1.
	Retry func(attempt int, wait time.Duration)
}

// The fixed bounds of the client.
const (
	ackEvery      = 16
	ackAfter      = 250 * time.Millisecond
	readLimit     = 4 << 20 // bytes in a message from the server
	defaultWindow = 2 * time.Minute
	windowGrace   = 5 * time.Second // the server's clock for the window starts after ours
)

// withDefaults replaces zero fields by what they mean.
func (o Options) withDefaults() Options {
	if o.RingDuration == 0 {
		o.RingDuration = 60 * time.Second
	}
	if o.RingBytes == 0 {
		o.RingBytes = 8 << 20
	}
	if o.Window == 0 {
		o.Window = 128 << 10
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = 10 * time.Second
	}
	if o.Reconnect.Base == 0 {
		o.Reconnect.Base = 250 * time.Millisecond
	}
	if o.Reconnect.Cap == 0 {
		o.Reconnect.Cap = 5 * time.Second
	}
	if o.Reconnect.Jitter == nil {
		o.Reconnect.Jitter = fullJitter
	}
	if o.HTTPClient == nil {
		o.HTTPClient = sharedHTTP
		if o.DialContext != nil || o.TLS != nil {
			o.HTTPClient = newHTTPClient(o.DialContext, o.TLS)
		}
	}
	if o.Trace == nil {
		o.Trace = &Trace{}
	}
	return o
}

func fullJitter(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return rand.N(limit)
}
