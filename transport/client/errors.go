package client

import (
	"errors"
	"fmt"
	"time"

	"aila/proto"
)

// What Send and its like return.
var (
	// ErrFull: more is unacknowledged than the ring may hold; the message was not accepted.
	ErrFull = errors.New("too much is not yet acknowledged")
	// ErrEnded: End was called before, or the server ended the session.
	ErrEnded = errors.New("session ended")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("session closed")
)

// How a session can end that cannot be resumed.
var (
	// ErrResumeRefused: the server does not have the session any more, or not for us.
	ErrResumeRefused = errors.New("resume refused")
	// ErrReplayGone: the server has the session, but no longer all that was not heard.
	ErrReplayGone = errors.New("replay gone")
	// ErrGaveUp: no socket could be had within the resume window or the allowed attempts.
	ErrGaveUp = errors.New("gave up reconnecting")
	// ErrForgotten: the server lacks messages that it had acknowledged.
	ErrForgotten = errors.New("server lacks what it acknowledged")
)

// CloseError is how a session ended that did not end by agreement.
type CloseError struct {
	// Close is what the server said; Code 0: the socket was lost without a word.
	Close proto.Close
	// Fault is the fatal error that the server named before it closed; nil: none.
	Fault *proto.Fault
	// Ended is the server's account of the session; nil: the session may still be there.
	Ended *proto.SessionEnded
	// Err is what the socket said; nil: nothing of interest.
	Err error
}

// Error implements error.
func (e *CloseError) Error() string {
	switch {
	case e.Fault != nil:
		return fmt.Sprintf("closed by the server (%d): %v", e.Close.Code, e.Fault)
	case e.Close.Code == 0:
		return fmt.Sprintf("socket lost: %v", e.Err)
	}
	return fmt.Sprintf("closed by the server (%d): %s", e.Close.Code, e.Close.Reason)
}

// Unwrap gives the fault and the socket's own error.
func (e *CloseError) Unwrap() []error {
	var all []error
	if e.Fault != nil {
		all = append(all, e.Fault)
	}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	return all
}

// HandshakeError is a connect that the server answered with something else than a WebSocket.
type HandshakeError struct {
	// Status is the HTTP status.
	Status int
	// RetryAfter is how long the server asks to wait; 0: it did not say.
	RetryAfter time.Duration
}

// Error implements error.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("no WebSocket: HTTP status %d", e.Status)
}
