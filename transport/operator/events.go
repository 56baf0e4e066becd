package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"aila/proto"
)

// writePatience is how long one write to a reader of the event stream may take: a reader
// that stands still is dropped, not waited for.
const writePatience = 10 * time.Second

// streamEvents is GET /api/v1/events. Each message is one event of the supervision log, its
// id the event's. Last-Event-ID (or ?after=) takes up where a reader left off, as far as the
// ring still reaches; what it no longer reaches is said as a message named missed. A reader
// that falls too far behind is told so (dropped) and cut.
func (a *API) streamEvents(w http.ResponseWriter, r *http.Request) (int, any, error) {
	f := query(r.URL, "session", "actor", "event", "level", "after")
	sel := eventQuery(f)
	after := f.number("after", 0, math.MaxInt64, -1)
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			f.refuse("Last-Event-ID is an integer of at least 0")
		}
		after = n
	}
	if err := f.problem(); err != nil {
		return 0, nil, err
	}
	if a.readers.Add(1) > int64(a.opt.MaxReaders) {
		a.readers.Add(-1)
		w.Header().Set("Retry-After", "10")
		return 0, nil, fail(http.StatusServiceUnavailable, "overloaded", "too many readers of the event stream")
	}
	defer a.readers.Add(-1)
	a.stream(&stream{w: w, control: http.NewResponseController(w), sel: sel, last: a.known(after)}, r)
	return 0, nil, nil
}

// known gives the id to continue after. An id that this process has not reached yet is from
// before a restart of the server: the reader has nothing of what the ring holds.
func (a *API) known(after int64) int64 {
	if after <= 0 {
		return after
	}
	newest, _ := a.op.Supervision(proto.EventQuery{Limit: 1})
	if len(newest) == 0 || after > newest[0].ID {
		return 0
	}
	return after
}

// stream is one reader of the events. It belongs to its handler's goroutine.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	sel     proto.EventQuery
	last    int64 // id of the newest event seen, selected or not; -1: none yet, none missed
	buf     bytes.Buffer
}

// stream writes events until the reader leaves, falls behind, or the server closes.
func (a *API) stream(s *stream, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	events := a.op.Subscribe(ctx, s.last, a.opt.EventBuffer)
	head := s.w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Accel-Buffering", "no")
	s.buf.WriteString("retry: 1000\n: events\n\n")
	if s.flush() != nil {
		return
	}
	heartbeat := time.NewTicker(a.opt.Heartbeat)
	defer heartbeat.Stop()
	for {
		select {
		case e, ok := <-events:
			if !s.take(e, ok, events) {
				a.leave(s, ctx)
				return
			}
		case <-heartbeat.C:
			s.buf.WriteString(": heartbeat\n\n")
		case <-a.done.Done():
			s.rest(events)
			return
		case <-ctx.Done():
			return
		}
		if s.flush() != nil {
			if r.Context().Err() == nil {
				a.drop()
			}
			return
		}
	}
}

// take writes an event and those that wait behind it; false: the channel was closed.
func (s *stream) take(e proto.Event, ok bool, events <-chan proto.Event) bool {
	// A bound, so that an endless storm of events cannot keep the buffer from being sent.
	for range 256 {
		if !ok {
			return false
		}
		s.write(e)
		select {
		case e, ok = <-events:
		default:
			return true
		}
	}
	if ok {
		s.write(e)
	}
	return ok
}

// rest writes what still waits when the server closes: drain_done above all.
func (s *stream) rest(events <-chan proto.Event) {
	select {
	case e, ok := <-events:
		s.take(e, ok, events)
	default:
	}
	// The connection is about to go either way.
	_ = s.flush()
}

// leave says goodbye to a reader whose channel was closed: it fell behind, unless it hung up.
func (a *API) leave(s *stream, ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	a.drop()
	s.buf.WriteString("event: dropped\ndata: {\"reason\":\"too slow\"}\n\n")
	// It may well not hear this either.
	_ = s.flush()
}

// drop counts a reader that was too slow.
func (a *API) drop() {
	a.dropped.Add(1)
	a.opt.Log.Warn().Msg("event reader dropped")
}

// write queues one event where it is selected.
func (s *stream) write(e proto.Event) {
	if s.last >= 0 && e.ID > s.last+1 {
		s.message("missed", 0, map[string]int64{"from": s.last + 1, "to": e.ID - 1})
	}
	s.last = e.ID
	if selects(s.sel, e) {
		s.message("", e.ID, e)
	}
}

// message queues one message of the stream.
func (s *stream) message(name string, id int64, body any) {
	p, err := json.Marshal(body)
	if err != nil {
		return // an Event holds nothing that cannot be encoded
	}
	if name != "" {
		s.buf.WriteString("event: " + name + "\n")
	}
	if id > 0 {
		s.buf.WriteString("id: " + strconv.FormatInt(id, 10) + "\n")
	}
	s.buf.WriteString("data: ")
	s.buf.Write(p)
	s.buf.WriteString("\n\n")
}

// flush sends what is queued.
func (s *stream) flush() error {
	// Not every ResponseWriter has deadlines; the server's own does.
	_ = s.control.SetWriteDeadline(time.Now().Add(writePatience))
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	if err != nil {
		return err
	}
	return s.control.Flush()
}

// selects tells whether a query's filters let an event through; its ids and limit do not
// count.
func selects(q proto.EventQuery, e proto.Event) bool {
	return (q.Session == "" || q.Session == e.Session) &&
		(q.Actor == "" || q.Actor == e.Actor) &&
		(q.Event == "" || q.Event == e.Event) &&
		(q.Level == "" || q.Level == e.Level)
}
