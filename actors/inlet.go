package actors

import (
	"sync"
	"time"

	"aila/proto"
)

// inlet is a session as one socket's read loop sees it: the door from transport into the
// actors, and the one place between socket and voice that may wait. A message takes a credit
// here, which its session gives back when the message is through; that bounds every mailbox
// behind it.
type inlet struct {
	hub  *hub
	rec  *record
	once sync.Once
	gone chan struct{} // closed when the session ended or took another socket
}

func newInlet(h *hub, rec *record) *inlet {
	return &inlet{hub: h, rec: rec, gone: make(chan struct{})}
}

// Deliver implements proto.Inlet.
func (in *inlet) Deliver(msg proto.Inbound) error {
	select {
	case <-in.gone:
		drop(msg)
		return proto.ErrClosed
	default:
	}
	select {
	case in.rec.credits <- struct{}{}:
	default:
		if !in.waitForCredit() {
			drop(msg)
			return proto.ErrClosed
		}
	}
	in.rec.counts.in[kindIn(msg)].Add(1)
	in.hub.send(in.rec.pid.Load(), msg)
	return nil
}

// waitForCredit tells whether a credit came before the inlet was closed.
func (in *inlet) waitForCredit() bool {
	since := time.Now()
	defer func() { in.hub.tally.backpressure.Add(int64(time.Since(since))) }()
	select {
	case in.rec.credits <- struct{}{}:
		return true
	case <-in.gone:
		return false
	}
}

// Ready implements proto.Inlet.
func (in *inlet) Ready() bool { return len(in.rec.credits) < cap(in.rec.credits) }

// Hangup implements proto.Inlet.
func (in *inlet) Hangup(c proto.Close) {
	select {
	case <-in.gone:
		return
	default:
	}
	in.hub.send(in.rec.pid.Load(), hangup{in: in, close: c})
}

// shut makes Deliver return ErrClosed from now on.
func (in *inlet) shut() { in.once.Do(func() { close(in.gone) }) }

// drop gives back what a message holds.
func drop(msg proto.Inbound) {
	if a, ok := msg.(*proto.AudioIn); ok {
		a.Release()
	}
}
