package main

import (
	"io"
	"sync"
)

// pipe writes on a goroutine of its own, since who reads at its other end may be slower than
// a server will wait for.
type pipe struct {
	w    io.Writer
	mu   sync.Mutex
	more *sync.Cond
	// guarded by mu
	waiting []byte
	closed  bool
	err     error
	done    chan struct{}
}

func newPipe(w io.Writer) *pipe {
	p := &pipe{w: w, done: make(chan struct{})}
	p.more = sync.NewCond(&p.mu)
	go p.run() // ends after Close, which waits for it
	return p
}

func (p *pipe) run() {
	defer close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.waiting) == 0 && !p.closed {
			p.more.Wait()
		}
		b := p.waiting
		p.waiting = nil
		if len(b) == 0 || p.err != nil {
			return
		}
		p.mu.Unlock()
		_, err := p.w.Write(b)
		p.mu.Lock()
		p.err = err
	}
}

// Write never waits. The error is that of an earlier write.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, b...)
	p.more.Signal()
	return len(b), p.err
}

// Close waits until all is written.
func (p *pipe) Close() error {
	p.mu.Lock()
	p.closed = true
	p.more.Signal()
	p.mu.Unlock()
	<-p.done
	return p.err
}
