package main

import (
	"bytes"
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"aila/proto"
)

// opener gives an Opener that also traces the answers of its sessions. While tracing is off
// it is next itself.
func (t *traces) opener(next proto.Opener) proto.Opener {
	if t == nil {
		return next
	}
	return tracedOpener{next, t}
}

type tracedOpener struct {
	proto.Opener
	t *traces
}

// Open implements proto.Opener.
func (o tracedOpener) Open(ctx context.Context, h proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault) {
	return o.Opener.Open(ctx, h, &tracedOutlet{Outlet: out, t: o.t})
}

// tracedOutlet reads along what a client is told.
type tracedOutlet struct {
	proto.Outlet
	t *traces
	// session is whose it is; empty until the client was told. Guarded by t.mu.
	session string
}

// tracedMessages are how the messages begin that an answer's span is made of: its beginning,
// its end, and whose it is. Audio is none of them.
var tracedMessages = [][]byte{
	[]byte(`{"type":"session_st`), // session_started, session_state
	[]byte(`{"type":"session_r`),  // session_resumed
	[]byte(`{"type":"audio_e`),    // audio_end
	[]byte(`{"type":"interr`),     // interrupted
}

// Send implements proto.Outlet.
func (o *tracedOutlet) Send(p []byte, binary bool) {
	o.Outlet.Send(p, binary)
	if binary {
		return
	}
	for _, begin := range tracedMessages {
		if bytes.HasPrefix(p, begin) {
			if m, err := proto.DecodeOutbound(p); err == nil {
				o.said(m, time.Now())
			}
			return
		}
	}
}

// said takes in what a client was told.
func (o *tracedOutlet) said(m proto.Outbound, at time.Time) {
	o.t.mu.Lock()
	defer o.t.mu.Unlock()
	switch m := m.(type) {
	case *proto.SessionStarted:
		o.session = m.SessionID
		// The supervision log may say so later than the session does.
		o.t.begin(m.SessionID, at)
	case *proto.SessionResumed:
		o.session = m.SessionID
	}
	s := o.t.sessions[o.session]
	numbered, ok := m.(proto.Sequenced)
	if s == nil || !ok || *numbered.Number() <= s.seq {
		return
	}
	s.seq = *numbered.Number()
	switch m := m.(type) {
	case *proto.SessionState:
		if m.State == proto.Speaking && m.ItemID != "" && s.answers[m.ItemID] == nil {
			_, s.answers[m.ItemID] = o.t.tracer.Start(s.ctx, "answer", trace.WithTimestamp(at), trace.WithAttributes(attribute.String("aila.item", m.ItemID)))
		}
	case *proto.AudioEnd:
		s.answered(m.ItemID, at, attribute.Int64("aila.samples", m.Samples))
	case *proto.Interrupted:
		s.answered(m.ItemID, at, attribute.String("aila.interrupted", string(m.Reason)))
	}
}

// answered ends an answer's span.
func (s *tracedSession) answered(item string, at time.Time, how attribute.KeyValue) {
	if a := s.answers[item]; a != nil {
		a.SetAttributes(how)
		a.End(trace.WithTimestamp(at))
		delete(s.answers, item)
	}
}
