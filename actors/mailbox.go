package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox runs its actor on the goroutine that posts to it: reader → client → audio → voice
// costs no hand-off. The library's own mailbox with its synchronized dispatcher does the same,
// but allocates a closure a wake-up and keeps ten slots and a linked list for an idle actor;
// this one allocates nothing in steady state, and nothing at all until it is used.
//
// While one goroutine runs the actor, others only queue: the actor still handles one message
// at a time. It never blocks a poster, so what it holds is bounded by credits (inlet.go).
// A handler must not call runtime.Goexit: the mailbox would stay busy for ever.
type mailbox struct {
	// set by RegisterHandlers
	invoker actor.MessageInvoker

	mu        sync.Mutex
	system    queue // guarded by mu
	user      queue // guarded by mu
	busy      bool  // guarded by mu: some goroutine runs the actor
	suspended bool  // guarded by mu: only system messages are handled
}

var _ actor.Mailbox = (*mailbox)(nil)

func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
}

func (m *mailbox) Start() {}

func (m *mailbox) PostUserMessage(msg any)   { m.post(&m.user, msg, false) }
func (m *mailbox) PostSystemMessage(msg any) { m.post(&m.system, msg, true) }

// tell posts a message past the library's process registry, whose look-ups cost as much as a
// handler. A stopped actor's message is dropped here without a dead letter.
func (m *mailbox) tell(msg any) { m.post(&m.user, msg, false) }

// UserMessageCount is how many messages wait.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user.len()
}

// post queues the message, or runs the actor with it if nobody does.
func (m *mailbox) post(q *queue, msg any, system bool) {
	m.mu.Lock()
	if m.busy || m.suspended && !system {
		q.push(msg)
		m.mu.Unlock()
		return
	}
	// Nobody runs the actor, so nothing waits but what a suspended one must not see.
	m.busy = true
	m.mu.Unlock()
	for m.drain(msg, system) {
		msg = nil
	}
}

// drain handles msg, unless it is nil, and then whatever waits, until nothing does or a
// handler panics; then it reports the failure and asks to be called again.
func (m *mailbox) drain(msg any, system bool) (again bool) {
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, msg)
			again = true
		}
	}()
	for {
		if msg == nil {
			if msg, system = m.next(); msg == nil {
				return false
			}
		}
		switch {
		case !system:
			m.invoker.InvokeUserMessage(msg)
		case !m.suspend(msg):
			m.invoker.InvokeSystemMessage(msg)
		}
		msg = nil
	}
}

// next takes the message to handle now; nil when there is none, and then the actor is idle.
func (m *mailbox) next() (msg any, system bool) {
	m.mu.Lock()
	switch {
	case m.system.len() > 0:
		msg, system = m.system.pop(), true
	case !m.suspended && m.user.len() > 0:
		msg = m.user.pop()
	default:
		m.busy = false
	}
	m.mu.Unlock()
	return msg, system
}

// suspend carries out the two messages that are for the mailbox itself.
func (m *mailbox) suspend(msg any) bool {
	var suspended bool
	switch msg.(type) {
	case *actor.SuspendMailbox:
		suspended = true
	case *actor.ResumeMailbox:
	default:
		return false
	}
	m.mu.Lock()
	m.suspended = suspended
	m.mu.Unlock()
	return true
}

// queue is a first-in first-out ring that gives its memory back when a burst is over.
type queue struct {
	ring []any // its length is a power of two, or 0
	head int
	n    int
}

// The ring's smallest size, and the largest one that an empty queue keeps.
const (
	minRing  = 4
	keepRing = 64
)

func (q *queue) len() int { return q.n }

func (q *queue) push(v any) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = v
	q.n++
}

func (q *queue) pop() any {
	v := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	if q.n == 0 && len(q.ring) > keepRing {
		*q = queue{}
	}
	return v
}

func (q *queue) grow() {
	ring := make([]any, max(minRing, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = ring, 0
}
