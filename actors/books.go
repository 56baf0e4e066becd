package actors

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

// books is the registry of sessions: what the manager, the gateway and the operators look up
// without asking any session. A session is live from its birth to its end, and then, while
// something that it said is not acknowledged, a memory for 30 s that only a resume finds.
type books struct {
	mu     sync.RWMutex
	live   map[string]*record // guarded by mu
	ended  map[string]*record // guarded by mu
	drawn  int                // guarded by mu: places taken by sessions that are being born
	empty  chan struct{}      // guarded by mu: closed when the last live session ends; nil: nobody waits
	totals totals             // of the sessions that ended
}

// record is one session in the books. Its session writes it, anybody reads it.
type record struct {
	// set by newRecord
	id        string
	voice     NamedVoice
	format    proto.Format
	subject   string
	binary    bool
	startedAt time.Time
	metadata  map[string]string
	ref       string // the id of the start
	credits   credits
	slot      *slot // the session's place in the clock

	pid      atomic.Pointer[actor.PID]
	remote   atomic.Pointer[string]
	outlet   atomic.Pointer[proto.Outlet] // nil: no socket
	state    atomic.Pointer[proto.State]
	boxes    [1 + len(children)]box // the client's, then its children's
	restarts [len(children)]atomic.Int64
	counts   counts
}

// children are the names of a session's three, in the order of their numbers.
var children = [...]string{audioChild: "audio", controlChild: "control", voiceChild: "voice"}

const (
	audioChild = iota
	controlChild
	voiceChild
)

// childNamed gives a child's number; -1: no such child.
func childNamed(name string) int { return slices.Index(children[:], name) }

// tell posts a message to one of the session's children, and tellClient to the session. The
// actor runs now, on this goroutine, unless another one is running it.
func (r *record) tell(child int, msg any) { r.boxes[1+child].tell(msg) }
func (r *record) tellClient(msg any)      { r.boxes[0].tell(msg) }

// view is the record as operators see it.
func (r *record) view(metadata bool) proto.SessionView {
	v := proto.SessionView{
		ID: r.id, State: r.currentState(), Voice: r.voice.Name, StartedAt: r.startedAt, Audio: r.format,
		Remote: *r.remote.Load(), FramesIn: r.counts.in[kindAudio].Load(), FramesOut: r.counts.out[kindAudioOut].Load(),
		SamplesIn: r.counts.samplesIn.Load(), SamplesOut: r.counts.samplesOut.Load(),
		Resumes: r.counts.resumes.Load(), ReplayBytes: r.counts.replay.Load(),
	}
	for i := range r.counts.lost {
		v.SamplesLost += r.counts.lost[i].Load()
	}
	for i := range r.restarts {
		v.Restarts += r.restarts[i].Load()
	}
	if out := r.outlet.Load(); out != nil {
		v.Attached, v.QueueBytes = true, (*out).QueueBytes()
	}
	if metadata {
		v.Metadata = r.metadata
	}
	return v
}

// currentState is the state as operators see it: waiting while no socket is attached.
func (r *record) currentState() proto.State {
	if r.outlet.Load() == nil {
		return proto.Waiting
	}
	return *r.state.Load()
}

func newBooks() *books {
	return &books{live: map[string]*record{}, ended: map[string]*record{}}
}

// draw takes a place for a session that is to be born, unless all are taken.
func (b *books) draw(limit int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.live)+b.drawn >= limit {
		return false
	}
	b.drawn++
	return true
}

// giveBack gives a drawn place back: the session was not born.
func (b *books) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn--
}

// enter writes a session into its drawn place.
func (b *books) enter(r *record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn--
	b.live[r.id] = r
	b.totals.started.Add(1)
}

// room tells whether a session more may live.
func (b *books) room(limit int) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.live)+b.drawn < limit
}

// retire takes a session out of the registry; with linger it can still be resumed.
func (b *books) retire(r *record, reason proto.EndReason, linger bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live[r.id] != r {
		return
	}
	delete(b.live, r.id)
	if linger {
		b.ended[r.id] = r
	}
	b.totals.add(r, reason)
	if b.empty != nil && len(b.live) == 0 {
		close(b.empty)
		b.empty = nil
	}
}

// bury forgets an ended session.
func (b *books) bury(r *record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended[r.id] == r {
		delete(b.ended, r.id)
	}
}

// session gives a live session; nil: there is none.
func (b *books) session(id string) *record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.live[id]
}

// resumable gives a session that lives or lingers; nil: there is none.
func (b *books) resumable(id string) *record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if r := b.live[id]; r != nil {
		return r
	}
	return b.ended[id]
}

// all gives the live sessions, in no order.
func (b *books) all() []*record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]*record, 0, len(b.live))
	for _, r := range b.live {
		all = append(all, r)
	}
	return all
}

// emptied is closed once no session lives.
func (b *books) emptied() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.live) == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if b.empty == nil {
		b.empty = make(chan struct{})
	}
	return b.empty
}

// page gives one page of the live sessions by id, and the After of the next.
func (b *books) page(q proto.SessionQuery) (page []proto.SessionView, next string) {
	limit := pageLimit(q.Limit)
	all := b.all()
	all = slices.DeleteFunc(all, func(r *record) bool {
		return r.id <= q.After || q.Voice != "" && q.Voice != r.voice.Name || q.State != "" && q.State != r.currentState()
	})
	slices.SortFunc(all, func(x, y *record) int { return cmp.Compare(x.id, y.id) })
	if len(all) > limit {
		all, next = all[:limit], all[limit-1].id
	}
	page = make([]proto.SessionView, len(all))
	for i, r := range all {
		page[i] = r.view(q.Metadata)
	}
	return page, next
}
