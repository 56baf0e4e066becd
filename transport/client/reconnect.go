package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"aila/proto"
)

// ending is how a socket, or the attempt to have one, ended.
type ending struct {
	close    proto.Close  // Code 0: no close frame came
	fault    *proto.Fault // the fatal error said before; nil: none
	err      error        // nil: a close frame says it all
	attached bool         // the session was on this socket
	left     bool         // we left it ourselves, to resume elsewhere
}

// closeOf takes the close frame out of the error of a read.
func closeOf(err error) (proto.Close, error) {
	var ce websocket.CloseError
	if errors.As(err, &ce) {
		return proto.Close{Code: int(ce.Code), Reason: ce.Reason}, nil
	}
	return proto.Close{}, err
}

// judge decides what follows a socket's end: another connect after wait, or for a wait below 0
// the end of the session with err.
func (s *Session) judge(end ending, attempt int) (wait time.Duration, err error) {
	s.mu.Lock()
	ended, closed, token := s.ended, s.closed, s.token
	lostFor := time.Duration(0)
	if !s.lostAt.IsZero() {
		lostFor = time.Since(s.lostAt)
	}
	window := s.window
	s.mu.Unlock()

	if closed || ended != nil {
		return -1, goodbye(end, ended)
	}
	err = end.final()
	if err != nil {
		return -1, err
	}
	err = end.asError()
	r := s.o.Reconnect
	switch {
	case token == "" && !r.First, token != "" && r.Off:
		return -1, err
	case token == "" && s.o.Unnumbered && end.attached:
		return -1, err // there is no session to take up
	case r.Attempts > 0 && attempt > r.Attempts, token != "" && lostFor > window+windowGrace:
		return -1, fmt.Errorf("%w: %w", ErrGaveUp, err)
	case end.left:
		return 0, nil // the wait was before leaving
	}
	return s.o.Reconnect.wait(attempt) + end.retryAfter(), nil
}

// wait draws the wait before the attempt, counted from 1, with full jitter.
func (r Reconnect) wait(attempt int) time.Duration {
	limit := r.Base
	for i := 1; i < attempt && limit < r.Cap; i++ {
		limit *= 2
	}
	return r.Jitter(min(limit, r.Cap))
}

// goodbye is how a session ended that the server has accounted for, or the caller closed.
func goodbye(end ending, ended *proto.SessionEnded) error {
	if ended == nil {
		return ErrClosed
	}
	if ended.Reason == proto.EndClient || ended.Reason == proto.EndIdle {
		return nil
	}
	c := end.close
	if c.Code == 0 {
		c = ended.Reason.Close()
	}
	return &CloseError{Close: c, Fault: end.fault, Ended: ended}
}

// final is the session's error where trying again cannot help, else nil.
func (e ending) final() error {
	var h *HandshakeError
	switch {
	case errors.Is(e.err, ErrForgotten):
		return e.err
	case errors.As(e.err, &h):
		if h.Status == http.StatusTooManyRequests || h.Status >= 500 {
			return nil
		}
		return e.err
	case e.fault != nil && e.fault.Code == proto.ResumeRefused:
		return fmt.Errorf("%w: %w", ErrResumeRefused, e.asError())
	case e.fault != nil && e.fault.Code == proto.ReplayGone:
		return fmt.Errorf("%w: %w", ErrReplayGone, e.asError())
	case e.close.Code == proto.CloseResumeRefused.Code:
		return fmt.Errorf("%w: %w", ErrResumeRefused, e.asError())
	}
	if again(e.code()) {
		return nil
	}
	return e.asError()
}

// code is the close code; where none came, that of the fatal error before it.
func (e ending) code() int {
	if e.close.Code == 0 && e.fault != nil {
		return e.fault.Code.Close().Code
	}
	return e.close.Code
}

// again tells whether a client may come back after this close: what the protocol lets it
// resume, a full server, and what only a proxy between us and the server can have said.
func again(code int) bool {
	switch code {
	case proto.CloseOverloaded.Code, int(websocket.StatusNoStatusRcvd), int(websocket.StatusBadGateway):
		return true
	}
	return proto.Resumable(code)
}

func (e ending) asError() error {
	var h *HandshakeError
	if errors.As(e.err, &h) || e.close.Code == 0 && e.fault == nil && !e.attached && e.err != nil {
		return e.err
	}
	c := e.close
	if c.Code == 0 && e.fault != nil {
		c = e.fault.Code.Close()
	}
	return &CloseError{Close: c, Fault: e.fault, Err: e.err}
}

// retryAfter is how long the server asked to wait.
func (e ending) retryAfter() time.Duration {
	var h *HandshakeError
	if errors.As(e.err, &h) {
		return h.RetryAfter
	}
	if e.fault != nil {
		return millis(e.fault.RetryAfterMS)
	}
	return 0
}

// Flush waits until the server has acknowledged all that was accepted so far, until ctx ends,
// or until the session is over (ErrClosed then, if something was not acknowledged). It is not
// for an Unnumbered client, of whom only audio is acknowledged.
func (s *Session) Flush(ctx context.Context) error {
	s.mu.Lock()
	upTo := s.said
	s.mu.Unlock()
	var over bool
	err := s.await(ctx, func() bool {
		over = s.stopped && s.stats.Acked < upTo
		return over || s.stats.Acked >= upTo
	})
	if over {
		return ErrClosed
	}
	return err
}

// Room waits until Send would accept audio, until ctx ends, or until the session is over.
func (s *Session) Room(ctx context.Context) error {
	return s.await(ctx, func() bool { return s.stopped || s.ending || !s.full() })
}
