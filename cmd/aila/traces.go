package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"aila/proto"
)

// traces turns what happens into OpenTelemetry spans: one a session and one an answer, with
// crashes, restarts and resumes as events of the session's. It looks on from outside, at the
// supervision log and at what is said to clients, so that no actor knows of it. A nil *traces
// is tracing that is off: its methods do nothing, and nothing stands on the path of a frame.
type traces struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer

	mu       sync.Mutex
	sessions map[string]*tracedSession // guarded by mu
}

// tracedSession is the spans of a session that lives.
type tracedSession struct {
	ctx     context.Context // holds the session's span, the answers' parent
	span    trace.Span
	answers map[string]trace.Span // by item
	seq     int64                 // newest message seen: a resume says older ones again
}

// openTraces begins to trace if the standard variables ask for it: OTEL_TRACES_EXPORTER=otlp,
// or an OTEL_EXPORTER_OTLP_ENDPOINT. All else they say is as OpenTelemetry documents it.
func openTraces(log zerolog.Logger) (*traces, error) {
	on, err := tracing(os.Getenv)
	if err != nil || !on {
		return nil, err
	}
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		return nil, fmt.Errorf("open traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn().Err(err).Msg("traces not delivered") }))
	return newTraces(sdktrace.WithBatcher(exporter)), nil
}

// tracing tells what the standard variables say.
func tracing(env func(string) string) (bool, error) {
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	wanted := env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	switch exporter := env("OTEL_TRACES_EXPORTER"); exporter {
	case "":
	case "otlp":
		wanted = true
	case "none":
		wanted = false
	default:
		return false, usageError{fmt.Errorf("OTEL_TRACES_EXPORTER: got %q, want otlp or none", exporter)}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := env(name); wanted && p != "" && p != "http/protobuf" {
			return false, usageError{fmt.Errorf("%s: got %q, want http/protobuf", name, p)}
		}
	}
	return wanted, nil
}

// newTraces makes spans for whoever the options name.
func newTraces(o ...sdktrace.TracerProviderOption) *traces {
	about := resource.NewSchemaless(attribute.String("service.name", "aila"))
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES beat ours. Schemaless ones never conflict.
	if merged, err := resource.Merge(about, resource.Environment()); err == nil {
		about = merged
	}
	t := &traces{provider: sdktrace.NewTracerProvider(append(o, sdktrace.WithResource(about))...), sessions: map[string]*tracedSession{}}
	t.tracer = t.provider.Tracer("aila")
	return t
}

// tracesBuffer is how many events tracing may be behind; then it takes up from the ring.
const tracesBuffer = 4096

// run follows the supervision log until ctx ends.
func (t *traces) run(ctx context.Context, op proto.Operator) {
	if t == nil {
		return
	}
	last := int64(-1)
	for ctx.Err() == nil {
		for e := range op.Subscribe(ctx, last, tracesBuffer) {
			last = e.ID
			t.happened(e)
		}
	}
}

// close ends what is open and sends what waits, as far as ctx allows.
func (t *traces) close(ctx context.Context) {
	if t == nil {
		return
	}
	t.mu.Lock()
	for id, s := range t.sessions {
		t.end(id, s, time.Now())
	}
	t.mu.Unlock()
	// What cannot be delivered is lost; the error handler has said so.
	_ = t.provider.Shutdown(ctx)
}

// tracedEvents are those that a session's span tells.
var tracedEvents = []string{
	proto.EvSessionAttached, proto.EvSessionDetached, proto.EvSessionResumed, proto.EvActorFailed, proto.EvActorRestarted,
	proto.EvSupervisionExhausted, proto.EvVoiceLost, proto.EvVoiceRestored, proto.EvTokenReused, proto.EvCrisis,
}

// happened takes in one line of the supervision log.
func (t *traces) happened(e proto.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Event == proto.EvSessionStarted {
		s := t.begin(e.Session, e.Time)
		s.span.SetAttributes(attribute.String("aila.voice", e.Voice))
		return
	}
	s := t.sessions[e.Session]
	switch {
	case s == nil:
	case e.Event == proto.EvSessionEnded:
		s.span.SetAttributes(attribute.String("aila.end.reason", e.Reason), attribute.Int64("aila.restarts", e.Restarts))
		if e.Reason == string(proto.EndFailed) {
			s.span.SetStatus(codes.Error, "session failed")
		}
		t.end(e.Session, s, e.Time)
	case slices.Contains(tracedEvents, e.Event):
		s.span.AddEvent(e.Event, trace.WithTimestamp(e.Time), trace.WithAttributes(about(e)...))
	}
}

// about is an event's fields as attributes, those that it has.
func about(e proto.Event) []attribute.KeyValue {
	var all []attribute.KeyValue
	for _, f := range []struct{ name, value string }{{"actor", e.Actor}, {"reason", e.Reason}, {"err", e.Err}} {
		if f.value != "" {
			all = append(all, attribute.String("aila."+f.name, f.value))
		}
	}
	for _, f := range []struct {
		name  string
		value int64
	}{{"seq", e.Seq}, {"restarts", e.Restarts}, {"code", int64(e.Code)}} {
		if f.value != 0 {
			all = append(all, attribute.Int64("aila."+f.name, f.value))
		}
	}
	return all
}

// begin gives a session its span, unless it has one. The caller holds mu.
func (t *traces) begin(id string, at time.Time) *tracedSession {
	s := t.sessions[id]
	if s == nil {
		s = &tracedSession{answers: map[string]trace.Span{}}
		s.ctx, s.span = t.tracer.Start(context.Background(), "session", trace.WithNewRoot(), trace.WithTimestamp(at),
			trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("aila.session", id)))
		t.sessions[id] = s
	}
	return s
}

// end ends a session's spans. The caller holds mu.
func (t *traces) end(id string, s *tracedSession, at time.Time) {
	for _, a := range s.answers {
		a.End(trace.WithTimestamp(at))
	}
	s.span.End(trace.WithTimestamp(at))
	delete(t.sessions, id)
}
