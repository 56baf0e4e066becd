package operator

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aila/proto"
)

// reader reads an event stream.
type reader struct {
	t    *testing.T
	scan *bufio.Scanner
}

// read opens the stream.
func (r *rig) read(path string, headers ...string) *reader {
	r.t.Helper()
	req, err := http.NewRequest("GET", r.srv.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := r.srv.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		r.t.Fatalf("GET %s: %s %s", path, resp.Status, resp.Header.Get("Content-Type"))
	}
	s := &reader{r.t, bufio.NewScanner(resp.Body)}
	if _, first := s.next(); first != ": events" {
		r.t.Fatalf("the stream begins with %q", first)
	}
	return s
}

// next gives the name and the data (or the comment) of the next message.
func (s *reader) next() (name, data string) {
	s.t.Helper()
	for s.scan.Scan() {
		line := s.scan.Text()
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			return name, data
		case field == "event":
			name = value
		case field == "data":
			data = value
		case field == "":
			data = line
		}
	}
	return "end", ""
}

// want reads the next event and checks its id and kind.
func (s *reader) want(id int64, event string) proto.Event {
	s.t.Helper()
	name, data := s.next()
	var e proto.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil || name != "" {
		s.t.Fatalf("message %q %q: %v", name, data, err)
	}
	if e.ID != id || e.Event != event {
		s.t.Fatalf("event %d %s, want %d %s", e.ID, e.Event, id, event)
	}
	return e
}

func started(session string) proto.Event {
	return proto.Event{Level: "info", Event: proto.EvSessionStarted, Session: session}
}

func ended(session string) proto.Event {
	return proto.Event{Level: "info", Event: proto.EvSessionEnded, Session: session}
}

func TestEventsComeAsTheyHappen(t *testing.T) {
	r := newRig(t, Options{}, 0)
	r.publish(started("old"))
	all := r.read("/api/v1/events")
	some := r.read("/api/v1/events?session=b&event=session_ended")
	r.publish(started("a"))
	r.publish(started("b"))
	r.publish(ended("b"))
	all.want(2, proto.EvSessionStarted)
	all.want(3, proto.EvSessionStarted)
	all.want(4, proto.EvSessionEnded)
	if e := some.want(4, proto.EvSessionEnded); e.Session != "b" {
		t.Errorf("the filter let %q through", e.Session)
	}
}

func TestLastEventIDTakesUpWhereTheReaderLeftOff(t *testing.T) {
	r := newRig(t, Options{}, 0)
	for range 5 {
		r.publish(started("a"))
	}
	for name, s := range map[string]*reader{
		"header": r.read("/api/v1/events", "Last-Event-ID", "3"),
		"query":  r.read("/api/v1/events?after=3"),
	} {
		t.Log(name)
		s.want(4, proto.EvSessionStarted)
		s.want(5, proto.EvSessionStarted)
	}
	// An id that this process never gave is one of the process before it.
	r.read("/api/v1/events", "Last-Event-ID", "4000").want(1, proto.EvSessionStarted)
}

func TestWhatTheRingNoLongerHoldsIsSaid(t *testing.T) {
	r := newRig(t, Options{}, 0)
	for range 1010 {
		r.publish(started("a"))
	}
	s := r.read("/api/v1/events", "Last-Event-ID", "4")
	if name, data := s.next(); name != "missed" || data != `{"from":5,"to":10}` {
		t.Errorf("first message: %q %q, want missed 5 to 10", name, data)
	}
	s.want(11, proto.EvSessionStarted)
}

func TestQuietStreamHasHeartbeats(t *testing.T) {
	r := newRig(t, Options{Heartbeat: time.Millisecond}, 0)
	s := r.read("/api/v1/events")
	for range 3 {
		if _, data := s.next(); data != ": heartbeat" {
			t.Fatalf("%q, want a heartbeat", data)
		}
	}
}

func TestCloseEndsStreamsAfterTheirLastEvents(t *testing.T) {
	r := newRig(t, Options{}, 0)
	s := r.read("/api/v1/events")
	r.publish(proto.Event{Event: proto.EvDrainDone})
	r.api.Close()
	s.want(1, proto.EvDrainDone)
	if name, _ := s.next(); name != "end" {
		t.Errorf("after Close came %q, want the end", name)
	}
}

func TestReadersAreBounded(t *testing.T) {
	r := newRig(t, Options{MaxReaders: 1}, 0)
	r.read("/api/v1/events")
	resp, body := r.ask("GET", "/api/v1/events", "")
	r.wantRefusal(resp, body, 503, "overloaded")
}

// stuck is a connection whose first write hangs until it is let go.
type stuck struct {
	*httptest.ResponseRecorder
	writing, release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	select {
	case s.writing <- struct{}{}:
		<-s.release
	default:
	}
	return s.ResponseRecorder.Write(p)
}

func TestSlowReaderIsDroppedAndCounted(t *testing.T) {
	f := newFake(0)
	api := New(Options{EventBuffer: 4}, f)
	defer api.Close()
	w := &stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() { // ends when the handler drops the reader
		defer close(done)
		r := httptest.NewRequest("GET", "/api/v1/events", nil).WithContext(context.Background())
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		api.root.ServeHTTP(w, r)
	}()
	<-w.writing
	for range 6 {
		f.publish(started("a"))
	}
	close(w.release)
	<-done
	if !strings.HasSuffix(w.Body.String(), "event: dropped\ndata: {\"reason\":\"too slow\"}\n\n") {
		t.Errorf("the reader was not told: %q", w.Body)
	}
	if got := api.dropped.Load(); got != 1 {
		t.Errorf("dropped %d readers, want 1", got)
	}
	if got := api.readers.Load(); got != 0 {
		t.Errorf("%d readers remain", got)
	}
}
