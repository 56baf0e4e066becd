package load

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// Events is what happened to sessions and sockets, as counts.
type Events struct {
	// Started sessions, Refused attempts to start one, sessions that Left by agreement, and
	// those that the server Dropped.
	Started int64 `json:"started"`
	Refused int64 `json:"refused"`
	Left    int64 `json:"left"`
	Dropped int64 `json:"dropped"`
	// Cut counts sockets that we cut, Lost those that ended otherwise, Resumed how often a
	// session went on with another.
	Cut     int64 `json:"sockets_cut"`
	Lost    int64 `json:"sockets_lost"`
	Resumed int64 `json:"resumed"`
	// Crashed counts crashes that an operator's order caused, CrashRefused orders in vain;
	// one that came when its session was over is neither.
	Crashed      int64 `json:"crashed"`
	CrashRefused int64 `json:"crash_refused"`
	// Disagreeing sessions ended with another count of samples on the server than here.
	Disagreeing int64 `json:"disagreeing"`
	// Errors by code of the protocol, or by what went wrong with a connect or a session.
	Errors map[string]int64 `json:"errors"`
	// Closes by code; none: the socket was lost without one.
	Closes map[string]int64 `json:"closes"`
}

// Sum counts all errors.
func (e Events) Sum() (n int64) {
	for _, k := range e.Errors {
		n += k
	}
	return n
}

// events counts what is rare, for all clients.
type events struct {
	mu      sync.Mutex
	e       Events
	connect timing // from when a client should have called to its session's start
	resume  timing // from a socket's loss to the session on another
}

func newEvents() *events {
	return &events{
		e:       Events{Errors: map[string]int64{}, Closes: map[string]int64{}},
		connect: newTiming(), resume: newTiming(),
	}
}

func (v *events) add(f func(*Events)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(&v.e)
}

// read gives a copy.
func (v *events) read() Events {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.e
	e.Errors, e.Closes = maps.Clone(e.Errors), maps.Clone(e.Closes)
	return e
}

func (v *events) fault(c proto.Code) {
	v.add(func(e *Events) { e.Errors[string(c)]++ })
}

// closed counts a socket's end. Ours: we wanted it.
func (v *events) closed(code int, ours bool) {
	v.add(func(e *Events) {
		if code == 0 && ours {
			return
		}
		name := "none"
		if code != 0 {
			name = strconv.Itoa(code)
		}
		e.Closes[name]++
		if !ours {
			e.Lost++
		}
	})
}

func (v *events) connected(took time.Duration) {
	v.add(func(e *Events) {
		e.Started++
		v.connect.record(int64(took))
	})
}

func (v *events) resumed(took time.Duration) {
	v.add(func(e *Events) {
		e.Resumed++
		v.resume.record(int64(took))
	})
}

// refused counts a session that could not be started.
func (v *events) refused(err error) {
	v.add(func(e *Events) {
		e.Refused++
		if name := wrong(err); name != "" {
			e.Errors["connect_"+name]++
		}
	})
}

// dropped counts a session that ended without our doing. Said: the server named the error.
func (v *events) dropped(err error, said bool) {
	v.add(func(e *Events) {
		e.Dropped++
		if name := wrong(err); name != "" && !said {
			e.Errors["session_"+name]++
		}
	})
}

// wrong names what is wrong in a word; empty: an error of the protocol that is counted as such.
func wrong(err error) string {
	var h *client.HandshakeError
	var c *client.CloseError
	switch {
	case err == nil:
		return "ended"
	case errors.As(err, &h):
		return strconv.Itoa(h.Status)
	case errors.Is(err, client.ErrForgotten):
		return "forgotten"
	case errors.Is(err, client.ErrGaveUp):
		return "gave_up"
	case errors.As(err, &c) && c.Fault != nil:
		return ""
	case errors.As(err, &c) && c.Close.Code != 0:
		return "closed_" + strconv.Itoa(c.Close.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "failed"
}
