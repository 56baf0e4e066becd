package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"aila/proto"
)

// fake is an Operator of made-up sessions that keeps the port's promises.
type fake struct {
	mu       sync.Mutex
	order    []string                      // ids, sorted
	sessions map[string]*proto.SessionView // guarded by mu
	restarts map[string]map[string]int64   // by session, by actor
	ring     []proto.Event
	readers  map[chan proto.Event]bool
	stats    proto.Stats
	faults   bool
	crashes  []string // what Crash was asked for
	draining bool
}

var fakeEpoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newFake makes n sessions, with fault injection on.
func newFake(n int) *fake {
	f := &fake{
		sessions: map[string]*proto.SessionView{}, restarts: map[string]map[string]int64{},
		readers: map[chan proto.Event]bool{}, faults: true,
		stats: proto.Stats{
			Started: int64(n), Ended: map[proto.EndReason]int64{}, Restarts: map[string]int64{},
			FramesIn: map[string]int64{}, FramesOut: map[string]int64{},
			FrameSeconds: proto.Histogram{Bounds: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05}, Counts: make([]int64, 7)},
		},
	}
	for i := range n {
		id := fmt.Sprintf("01JFAKE%019d", i)
		f.order = append(f.order, id)
		f.sessions[id] = &proto.SessionView{
			ID: id, State: states[i%4], Voice: "echo", StartedAt: fakeEpoch, Attached: true, Remote: "h:5f3a",
			Audio: proto.Format{Encoding: "pcm16", SampleRate: 24000, Channels: 1},
		}
	}
	return f
}

func (f *fake) Sessions(q proto.SessionQuery) ([]proto.SessionView, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	limit := cmp.Or(q.Limit, 100)
	i, found := slices.BinarySearch(f.order, q.After)
	if found {
		i++
	}
	page := make([]proto.SessionView, 0, min(limit, len(f.order)))
	for ; i < len(f.order); i++ {
		s := f.sessions[f.order[i]]
		if q.State != "" && s.State != q.State || q.Voice != "" && s.Voice != q.Voice {
			continue
		}
		if len(page) == limit {
			return page, page[limit-1].ID
		}
		page = append(page, *s)
	}
	return page, ""
}

func (f *fake) Session(id string) (proto.SessionView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.sessions[id]; s != nil {
		return *s, nil
	}
	return proto.SessionView{}, proto.ErrNoSession
}

func (f *fake) End(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sessions[id] == nil {
		return proto.ErrNoSession
	}
	f.drop(id)
	f.stats.Ended[proto.EndOperator]++
	f.tell(proto.Event{Level: "info", Event: proto.EvSessionEnded, Message: "session ended", Session: id, Reason: "operator", Code: 4500})
	return nil
}

func (f *fake) drop(id string) {
	delete(f.sessions, id)
	i, _ := slices.BinarySearch(f.order, id)
	f.order = slices.Delete(f.order, i, i+1)
}

func (f *fake) Supervision(q proto.EventQuery) ([]proto.Event, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	limit := cmp.Or(q.Limit, 100)
	var page []proto.Event
	for _, e := range slices.Backward(f.ring) {
		if e.ID <= q.After || q.Before > 0 && e.ID >= q.Before || !selects(q, e) {
			continue
		}
		if len(page) == limit {
			return page, page[limit-1].ID
		}
		page = append(page, e)
	}
	return page, 0
}

func (f *fake) Subscribe(ctx context.Context, after int64, buffer int) <-chan proto.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan proto.Event, buffer)
	for _, e := range f.ring {
		if after >= 0 && e.ID > after {
			ch <- e
		}
	}
	f.readers[ch] = true
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.cut(ch)
	})
	return ch
}

func (f *fake) cut(ch chan proto.Event) {
	if f.readers[ch] {
		delete(f.readers, ch)
		close(ch)
	}
}

// publish adds an event to the ring and tells every reader.
func (f *fake) publish(e proto.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(e)
}

func (f *fake) tell(e proto.Event) {
	e.ID = 1
	if n := len(f.ring); n > 0 {
		e.ID = f.ring[n-1].ID + 1
	}
	e.Time = cmp.Or(e.Time, time.Now().UTC())
	f.ring = append(f.ring, e)
	if len(f.ring) > 1000 {
		f.ring = slices.Delete(f.ring, 0, 1)
	}
	for ch := range f.readers {
		select {
		case ch <- e:
		default:
			f.cut(ch)
		}
	}
}

func (f *fake) Tree(id string, limit int) proto.ActorView {
	f.mu.Lock()
	defer f.mu.Unlock()
	root := proto.ActorView{Name: "sessions", Path: "sessions"}
	if id != "" {
		if f.sessions[id] == nil {
			return proto.ActorView{}
		}
		return f.branch(id)
	}
	for _, s := range f.order[:min(len(f.order), cmp.Or(limit, 100))] {
		root.Children = append(root.Children, f.branch(s))
	}
	return root
}

func (f *fake) branch(id string) proto.ActorView {
	node := proto.ActorView{Name: id, Path: "sessions/" + id, Session: id}
	for _, actor := range []string{"audio", "control", "voice"} {
		node.Children = append(node.Children, proto.ActorView{Name: actor, Path: node.Path + "/" + actor, Session: id, Restarts: f.restarts[id][actor]})
	}
	return node
}

func (f *fake) Crash(id, actor string, onFrame bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[id]
	switch {
	case !f.faults:
		return proto.ErrForbidden
	case s == nil:
		return proto.ErrNoSession
	case !slices.Contains([]string{"audio", "control", "voice"}, actor):
		return proto.ErrNoActor
	}
	f.crashes = append(f.crashes, fmt.Sprint(id, " ", actor, " ", onFrame))
	if f.restarts[id] == nil {
		f.restarts[id] = map[string]int64{}
	}
	f.restarts[id][actor]++
	s.Restarts++
	f.stats.Restarts[actor]++
	path := "sessions/" + id + "/" + actor
	f.tell(proto.Event{Level: "error", Event: proto.EvActorFailed, Message: "actor failed", Session: id, Actor: actor, Path: path,
		Reason: "crash asked for by an operator", Stack: "goroutine 7 [running]:\naila/actors.(*audio).hear(...)\n\t/src/actors/audio.go:42"})
	f.tell(proto.Event{Level: "warn", Event: proto.EvActorRestarted, Message: "actor restarted", Session: id, Actor: actor, Path: path, Restarts: f.restarts[id][actor]})
	return nil
}

func (f *fake) FaultInjection() bool { return f.faults }
func (f *fake) Voices() []string     { return []string{"echo", "openai"} }

func (f *fake) Stats() proto.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	s.Sessions = map[proto.State]int64{}
	for _, v := range f.sessions {
		s.Sessions[v.State]++
	}
	s.Draining = f.draining
	s.FrameSeconds.Counts = slices.Clone(s.FrameSeconds.Counts)
	s.FramesIn, s.FramesOut = maps.Clone(s.FramesIn), maps.Clone(s.FramesOut)
	s.Restarts, s.Ended = maps.Clone(s.Restarts), maps.Clone(s.Ended)
	return s
}
