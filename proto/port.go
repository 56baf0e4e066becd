package proto

import (
	"context"
	"errors"
	"time"
)

// ErrClosed is what an Inlet returns once its session ended or another socket took it over.
var ErrClosed = errors.New("session closed")

// Hello is what a socket says to be joined to a session. Exactly one of Start and Resume is set.
type Hello struct {
	Start  *Start
	Resume *Resume
	// Remote is the peer's address as operators may see it.
	Remote string
	// Subject is who the token speaks for; empty while auth is off. A session is bound to it.
	Subject string
	// Expires is when the token ends; zero: never.
	Expires time.Time
}

// Opener joins sockets to sessions. actors.Gateway is the one that serves.
type Opener interface {
	// Open begins a session or takes one up again, writes the answer (session_started, or
	// session_resumed and the replay) to out, and returns where the socket's messages go. On
	// a *Fault nothing was written and nothing changed: the caller says it and closes with
	// Code.Close(). It may wait for the session manager, so only a read loop may call it.
	Open(ctx context.Context, h Hello, out Outlet) (Inlet, *Fault)
	// Accepting tells whether a new session has a chance: false while draining or full.
	Accepting() bool
}

// Inlet is a session as its socket's read loop sees it.
type Inlet interface {
	// Deliver hands one message to the session, which owns it from then on. It waits for
	// credit, so only the read loop may call it: it is the one place between socket and
	// voice that may wait. It returns ErrClosed once the session ended or was taken over.
	Deliver(Inbound) error
	// Ready tells whether Deliver would return without waiting for credit.
	Ready() bool
	// Hangup says that the socket is gone; the session waits for a resume. Calling it again,
	// or after the session took another socket, does nothing.
	Hangup(Close)
}

// Outlet is a socket as its session sees it. Its methods never block, may be called from
// any goroutine, and do nothing once the socket is closed.
type Outlet interface {
	// Send queues one encoded message: text, or binary audio. It copies p.
	Send(p []byte, binary bool)
	// Close sends what is queued, then the close frame, then lets the socket go. Only the
	// first call counts.
	Close(Close)
	// QueueBytes is how much waits because the peer reads too slowly.
	QueueBytes() int64
}
