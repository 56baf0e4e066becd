package actors

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"aila/proto"
)

// events is the supervision log: each event goes to zerolog, to a bounded ring for operators
// to ask, and to whoever is subscribed. Emit never waits for a reader.
type events struct {
	log zerolog.Logger

	mu      sync.Mutex
	next    int64                    // guarded by mu: the id of the next event
	routine ring                     // guarded by mu: debug and info
	trouble ring                     // guarded by mu: warn and error, not washed out by arrivals
	readers map[chan proto.Event]int // guarded by mu
}

// How many events the rings hold.
const (
	routineEvents = 4096
	troubleEvents = 1024
)

// ring holds the newest events; next is where the oldest lies once it is full.
type ring struct {
	events []proto.Event
	size   int
	next   int
}

func newEvents(log zerolog.Logger) *events {
	return &events{
		log: log, next: 1, readers: map[chan proto.Event]int{},
		routine: ring{size: routineEvents}, trouble: ring{size: troubleEvents},
	}
}

// messages are the constant phrases of the log, one an event.
var messages = map[string]string{
	proto.EvSessionStarted:       "session started",
	proto.EvSessionAttached:      "socket attached",
	proto.EvSessionDetached:      "socket lost, session waits",
	proto.EvSessionResumed:       "session resumed",
	proto.EvSessionEnded:         "session ended",
	proto.EvActorStarted:         "actor started",
	proto.EvActorFailed:          "actor failed",
	proto.EvActorRestarted:       "actor restarted",
	proto.EvActorStopped:         "actor stopped",
	proto.EvSupervisionExhausted: "restart budget exhausted",
	proto.EvDeadLetter:           "message for nobody",
	proto.EvVoiceLost:            "voice lost",
	proto.EvVoiceRestored:        "voice restored",
	proto.EvTokenReused:          "resume token used twice",
	proto.EvCrisis:               "crisis noticed",
	proto.EvDrainStarted:         "drain started",
	proto.EvDrainDone:            "drain done",
}

// levels are those of the events that are not info.
var levels = map[string]zerolog.Level{
	proto.EvSessionAttached:      zerolog.DebugLevel,
	proto.EvActorStarted:         zerolog.DebugLevel,
	proto.EvActorStopped:         zerolog.DebugLevel,
	proto.EvActorFailed:          zerolog.ErrorLevel,
	proto.EvActorRestarted:       zerolog.WarnLevel,
	proto.EvSupervisionExhausted: zerolog.ErrorLevel,
	proto.EvDeadLetter:           zerolog.WarnLevel,
	proto.EvVoiceLost:            zerolog.WarnLevel,
	proto.EvTokenReused:          zerolog.WarnLevel,
	proto.EvCrisis:               zerolog.WarnLevel,
}

// emit writes one event. Event is of the vocabulary; Time, ID, Level and Message are filled in.
func (e *events) emit(ev proto.Event) {
	level, ok := levels[ev.Event]
	if !ok {
		level = zerolog.InfoLevel
	}
	ev.Time, ev.Level, ev.Message = time.Now(), level.String(), messages[ev.Event]
	e.mu.Lock()
	ev.ID = e.next
	e.next++
	if level >= zerolog.WarnLevel {
		e.trouble.push(ev)
	} else {
		e.routine.push(ev)
	}
	for reader := range e.readers {
		select {
		case reader <- ev:
		default: // too slow: it is dropped, and sees that by the closed channel
			delete(e.readers, reader)
			close(reader)
		}
	}
	e.mu.Unlock()
	e.write(level, &ev)
}

// write logs the event with the fields that it has.
func (e *events) write(level zerolog.Level, ev *proto.Event) {
	l := e.log.WithLevel(level)
	if !l.Enabled() || level < e.log.GetLevel() {
		return
	}
	l.Str("event", ev.Event)
	for _, f := range [...]struct{ key, value string }{
		{"session", ev.Session}, {"actor", ev.Actor}, {"path", ev.Path}, {"voice", ev.Voice},
		{"reason", ev.Reason}, {"stack", ev.Stack}, {"err", ev.Err},
	} {
		if f.value != "" {
			l.Str(f.key, f.value)
		}
	}
	for _, f := range [...]struct {
		key   string
		value int64
	}{
		{"seq", ev.Seq}, {"restarts", ev.Restarts}, {"code", int64(ev.Code)}, {"bytes", ev.Bytes},
		{"count", ev.Count}, {"took_ms", ev.TookMS},
	} {
		if f.value != 0 {
			l.Int64(f.key, f.value)
		}
	}
	l.Msg(ev.Message)
}

// query gives events newest first, and the Before of the next page.
func (e *events) query(q proto.EventQuery) (page []proto.Event, next int64) {
	limit := pageLimit(q.Limit)
	e.mu.Lock()
	defer e.mu.Unlock()
	routine, trouble := e.routine.newest(), e.trouble.newest()
	for {
		ev, ok := later(&routine, &trouble)
		switch {
		case !ok:
			return page, 0
		case len(page) == limit:
			return page, page[limit-1].ID
		case selects(q, ev):
			page = append(page, *ev)
		}
	}
}

// subscribe implements proto.Operator.
func (e *events) subscribe(ctx context.Context, after int64, buffer int) <-chan proto.Event {
	var missed []proto.Event
	e.mu.Lock()
	defer e.mu.Unlock()
	if after >= 0 {
		routine, trouble := e.routine.newest(), e.trouble.newest()
		for ev, ok := later(&routine, &trouble); ok && ev.ID > after; ev, ok = later(&routine, &trouble) {
			missed = append(missed, *ev)
		}
	}
	reader := make(chan proto.Event, len(missed)+max(1, buffer))
	for i := len(missed) - 1; i >= 0; i-- {
		reader <- missed[i]
	}
	e.readers[reader] = buffer
	context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, ok := e.readers[reader]; ok {
			delete(e.readers, reader)
			close(reader)
		}
	})
	return reader
}

func (r *ring) push(ev proto.Event) {
	if len(r.events) < r.size {
		r.events = append(r.events, ev)
		return
	}
	r.events[r.next] = ev
	r.next = (r.next + 1) % r.size
}

// backwards walks a ring from its newest event.
type backwards struct {
	ring *ring
	i    int // how many were seen
}

func (r *ring) newest() backwards { return backwards{ring: r} }

// peek gives the next older event; nil at the end.
func (b *backwards) peek() *proto.Event {
	n := len(b.ring.events)
	if b.i >= n {
		return nil
	}
	return &b.ring.events[(b.ring.next+2*n-1-b.i)%n]
}

// later takes the newer of what two walks come to.
func later(a, b *backwards) (*proto.Event, bool) {
	x, y := a.peek(), b.peek()
	switch {
	case x == nil && y == nil:
		return nil, false
	case y == nil || x != nil && x.ID > y.ID:
		a.i++
		return x, true
	}
	b.i++
	return y, true
}

// selects tells whether the query wants the event.
func selects(q proto.EventQuery, ev *proto.Event) bool {
	return (q.Session == "" || q.Session == ev.Session) && (q.Actor == "" || q.Actor == ev.Actor) &&
		(q.Event == "" || q.Event == ev.Event) && (q.Level == "" || q.Level == ev.Level) &&
		ev.ID > q.After && (q.Before == 0 || ev.ID < q.Before)
}

// pageLimit gives a list's length.
func pageLimit(n int) int {
	if n <= 0 {
		return 100
	}
	return min(n, 1000)
}
