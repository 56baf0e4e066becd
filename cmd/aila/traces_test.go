package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"aila/proto"
)

// listening is an Opener whose only session is what it was told.
type listening struct{ out proto.Outlet }

func (l *listening) Open(_ context.Context, _ proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault) {
	l.out = out
	return nil, nil
}
func (l *listening) Accepting() bool { return true }

// deaf is an Outlet that counts.
type deaf struct{ sent int }

func (d *deaf) Send([]byte, bool) { d.sent++ }
func (d *deaf) Close(proto.Close) {}
func (d *deaf) QueueBytes() int64 { return 0 }

// say sends a message as a session does.
func say(out proto.Outlet, m proto.Outbound) { out.Send(proto.Append(nil, m), false) }

func TestTracesAreOneSpanASessionAndOneAnAnswer(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tr := newTraces(sdktrace.WithSyncer(spans))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	inner := &listening{}
	opener := tr.opener(inner)
	if _, fault := opener.Open(t.Context(), proto.Hello{}, &deaf{}); fault != nil {
		t.Fatal(fault)
	}
	first := inner.out
	tr.happened(proto.Event{Event: proto.EvSessionStarted, Session: "s", Voice: "echo", Time: at})
	say(first, &proto.SessionStarted{Serial: proto.Serial{Seq: 1}, SessionID: "s"})
	say(first, &proto.SessionState{Serial: proto.Serial{Seq: 2}, State: proto.Speaking, ItemID: "i1"})
	for seq := range int64(100) {
		say(first, &proto.AudioOut{Serial: proto.Serial{Seq: 3 + seq}, ItemID: "i1", Data: make([]byte, 960)})
	}
	say(first, &proto.AudioEnd{Serial: proto.Serial{Seq: 103}, ItemID: "i1", Samples: 48000})
	tr.happened(proto.Event{Event: proto.EvActorFailed, Session: "s", Actor: "audio", Reason: "boom", Seq: 7, Time: at})
	tr.happened(proto.Event{Event: proto.EvActorRestarted, Session: "s", Actor: "audio", Restarts: 1, Time: at})

	// Another socket hears what the first one may have missed, and then the rest.
	if _, fault := opener.Open(t.Context(), proto.Hello{}, &deaf{}); fault != nil {
		t.Fatal(fault)
	}
	second := inner.out
	say(second, &proto.SessionResumed{SessionID: "s"})
	tr.happened(proto.Event{Event: proto.EvSessionResumed, Session: "s", Time: at})
	say(second, &proto.SessionState{Serial: proto.Serial{Seq: 2}, State: proto.Speaking, ItemID: "i1"})
	say(second, &proto.AudioEnd{Serial: proto.Serial{Seq: 103}, ItemID: "i1"})
	say(second, &proto.SessionState{Serial: proto.Serial{Seq: 104}, State: proto.Speaking, ItemID: "i2"})
	say(second, &proto.Interrupted{Serial: proto.Serial{Seq: 105}, ItemID: "i2", Reason: "client"})
	say(second, &proto.SessionState{Serial: proto.Serial{Seq: 106}, State: proto.Speaking, ItemID: "i3"})
	tr.happened(proto.Event{Event: proto.EvSessionEnded, Session: "s", Reason: "failed", Time: at.Add(time.Minute)})
	// What comes late begins nothing anew.
	say(second, &proto.SessionResumed{SessionID: "s"})
	tr.happened(proto.Event{Event: proto.EvActorRestarted, Session: "s"})

	got := spans.GetSpans()
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
		if s.Name == "answer" && s.Parent.SpanID() != got[len(got)-1].SpanContext.SpanID() {
			t.Errorf("an answer's parent is not the session")
		}
	}
	if want := []string{"answer", "answer", "answer", "session"}; !slices.Equal(names, want) {
		t.Fatalf("spans %v, want %v", names, want)
	}
	session := got[3]
	var events []string
	for _, e := range session.Events {
		events = append(events, e.Name)
	}
	if want := []string{"actor_failed", "actor_restarted", "session_resumed"}; !slices.Equal(events, want) {
		t.Errorf("events %v, want %v", events, want)
	}
	if session.Status.Code != codes.Error || session.EndTime != at.Add(time.Minute) || session.StartTime != at {
		t.Errorf("session %v to %v, status %v", session.StartTime, session.EndTime, session.Status)
	}
	if len(tr.sessions) != 0 {
		t.Errorf("%d sessions stay in memory", len(tr.sessions))
	}
	if all := fmt.Sprint(session.Attributes); !strings.Contains(all, "echo") {
		t.Errorf("attributes %v", all)
	}
}

func TestTracesAreOffUnlessAskedFor(t *testing.T) {
	for _, c := range []struct {
		env   string
		on    bool
		usage bool
	}{
		{"", false, false},
		{"OTEL_SERVICE_NAME=x", false, false},
		{"OTEL_TRACES_EXPORTER=otlp", true, false},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", true, false},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/v1/traces", true, false},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_TRACES_EXPORTER=none", false, false},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_SDK_DISABLED=true", false, false},
		{"OTEL_TRACES_EXPORTER=jaeger", false, true},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=grpc", false, true},
	} {
		on, err := tracing(func(name string) string {
			for _, pair := range strings.Fields(c.env) {
				if k, v, _ := strings.Cut(pair, "="); k == name {
					return v
				}
			}
			return ""
		})
		var usage usageError
		if on != c.on || errors.As(err, &usage) != c.usage {
			t.Errorf("%q: %v, %v; want %v", c.env, on, err, c.on)
		}
	}
	var off *traces
	next := &listening{}
	if off.opener(next) != proto.Opener(next) {
		t.Error("something stands before the sessions while tracing is off")
	}
	off.run(t.Context(), nil)
	off.close(t.Context())
}

// What tracing costs a frame: off it is not there at all, on it looks at a message's first
// bytes.
func BenchmarkTracesOnAFrame(b *testing.B) {
	frame := proto.Append(nil, &proto.AudioOut{ItemID: "i", Data: make([]byte, 960)})
	on := newTraces(sdktrace.WithSyncer(tracetest.NewNoopExporter()))
	for name, t := range map[string]*traces{"off": nil, "on": on} {
		b.Run(name, func(b *testing.B) {
			inner := &listening{}
			if _, fault := t.opener(inner).Open(b.Context(), proto.Hello{}, &deaf{}); fault != nil {
				b.Fatal(fault)
			}
			b.ReportAllocs()
			for b.Loop() {
				inner.out.Send(frame, false)
			}
		})
	}
}
