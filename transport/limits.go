package transport

import (
	"net/http"
	"net/netip"
	"sync"
)

// maxSpare bounds the sockets that are open only so that a browser hears why it is refused.
const maxSpare = 256

// limits counts sockets, before they are upgraded.
type limits struct {
	max, maxEach int

	mu     sync.Mutex
	taken  int
	spare  int // sockets beyond max
	owners map[owner]int
}

// owner is who sockets are counted for: an address or a token's subject.
type owner struct {
	addr    netip.Prefix
	subject string
}

// seat is what a socket has taken. The zero seat is none.
type seat struct {
	taken, spare bool
	owners       [2]owner // zero: not counted
}

func newLimits(all, each int) *limits {
	return &limits{max: all, maxEach: each, owners: make(map[owner]int)}
}

// full tells whether there is no room for another socket.
func (l *limits) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken >= l.max
}

// take finds a seat for a socket of these owners. status is 0, or what to refuse it with.
func (l *limits) take(owners [2]owner) (s seat, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken >= l.max {
		return seat{}, http.StatusServiceUnavailable
	}
	for _, o := range owners {
		if o != (owner{}) && l.owners[o] >= l.maxEach {
			return seat{}, http.StatusTooManyRequests
		}
	}
	l.taken++
	for _, o := range owners {
		if o != (owner{}) {
			l.owners[o]++
		}
	}
	return seat{taken: true, owners: owners}, 0
}

// takeSpare finds a seat for a socket that is opened only to be refused.
func (l *limits) takeSpare() (seat, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spare >= maxSpare {
		return seat{}, false
	}
	l.spare++
	return seat{spare: true}, true
}

// leave gives a seat back.
func (l *limits) leave(s seat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.spare {
		l.spare--
	}
	if s.taken {
		l.taken--
	}
	for _, o := range s.owners {
		if o == (owner{}) {
			continue
		}
		if l.owners[o]--; l.owners[o] == 0 {
			delete(l.owners, o)
		}
	}
}

// network is the address that sockets are counted by: one /64 counts as one.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
