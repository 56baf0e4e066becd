package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// call is one session of a client.
type call struct {
	// set by newCall
	run   *run
	tally *tally
	from  int // the frame of the recording at which it begins
	turn  int64

	cut  atomic.Bool // we cut its socket and have not yet seen it lost
	bad  atomic.Bool // the server named a fatal error
	over atomic.Bool // we end it: whatever comes is no surprise

	// guarded by mu, which may be held while calling the session
	mu      sync.Mutex
	sess    *client.Session // nil until it is started
	id      string
	ledger  ledger
	said    int
	talking bool
	due     []int64 // scratch
}

func newCall(r *run, s *slot, from int, turn int64) *call {
	return &call{run: r, tally: s.tally, from: from, turn: turn}
}

// options are those of the call's session.
func (c *call) options() client.Options {
	o := &c.run.o
	return client.Options{
		Audio: o.Format, Voice: o.Voice, Binary: o.Binary, Token: o.Token,
		HTTPClient: c.run.network.client(), DialContext: o.dial,
		OnEvent: c.hear,
		Trace:   &client.Trace{Lost: c.lost, Resumed: c.resumed},
	}
}

// speak is the call's turn: it says the frame that is due, unless it is listening. It tells
// whether the session is still there.
func (c *call) speak(due int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sess == nil {
		return true
	}
	select {
	case <-c.sess.Done():
		return false
	default:
	}
	if !c.mayTalk(due) {
		return true
	}
	rec := c.run.rec
	frame := (c.from + c.said) % len(rec.frames)
	lost := c.ledger.say(utterance{due: due, frame: int32(frame), fate: pending}, rec.samples)
	_, err := c.sess.SendShared(rec.frames[frame])
	switch {
	case err == nil:
		c.said++
		c.tally.sent(due, c.run.now(), lost)
	case errors.Is(err, client.ErrFull):
		c.ledger.unsay(rec.samples)
		c.tally.refused()
	default:
		c.ledger.unsay(rec.samples)
		return errors.Is(err, client.ErrEnded) // the rest of it is still to be heard
	}
	return true
}

// mayTalk tells whether it is the client's turn to talk, and commits when it is over.
func (c *call) mayTalk(due int64) bool {
	o := &c.run.o
	if o.Turns.Talk == 0 {
		return true
	}
	talk := (due+c.turn)%int64(o.Turns.Talk+o.Turns.Listen) < int64(o.Turns.Talk)
	if c.talking && !talk && c.sess.Commit() == nil {
		c.ledger.say(utterance{fate: aside}, 0)
	}
	c.talking = talk
	return talk
}

// hear is given every message of the server.
func (c *call) hear(_ *client.Session, m proto.Outbound) {
	switch m := m.(type) {
	case *proto.AudioOut:
		c.echo(m)
	case *proto.AckOut:
		c.ack(m.Seq)
	case *proto.SessionResumed:
		c.ack(m.LastSeq)
	case *proto.GapOut:
		c.mu.Lock()
		announced, passed := c.ledger.gap(m.FromPos, m.ToPos)
		c.mu.Unlock()
		c.tally.gap(announced, passed)
	case *proto.SessionStarted:
		c.mu.Lock()
		c.id = m.SessionID
		c.mu.Unlock()
	case *proto.SessionEnded:
		c.account(m)
	case *proto.Fault:
		if m.Fatal {
			c.bad.Store(true)
		}
		c.run.events.fault(m.Code)
	}
}

func (c *call) echo(m *proto.AudioOut) {
	now := c.run.now()
	c.mu.Lock()
	re := m.Re
	if re == 0 {
		re = c.ledger.find(m.Data, c.run.rec)
	}
	v, due, passed := c.ledger.hear(re, m.Data, c.run.rec)
	c.mu.Unlock()
	c.tally.heard(v, due, now, passed)
}

func (c *call) ack(seq int64) {
	now := c.run.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = c.due[:0]
	c.ledger.ack(seq, func(due int64) { c.due = append(c.due, due) })
	c.tally.acked(c.due, now)
}

// account holds the server's account of a session against ours.
func (c *call) account(m *proto.SessionEnded) {
	c.mu.Lock()
	said := c.ledger.pos
	c.mu.Unlock()
	if m.Reason == proto.EndClient && m.SamplesIn != said {
		c.run.events.add(func(e *Events) { e.Disagreeing++ })
	}
}

// lost is told of every socket that ends.
func (c *call) lost(how proto.Close, _ error) {
	ours := c.cut.Swap(false)
	c.run.events.closed(how.Code, ours || c.over.Load() && how.Code <= 1000)
}

func (c *call) resumed(took time.Duration, _ int) {
	c.run.events.resumed(took)
}

// cutSocket kills the socket; false: there is none.
func (c *call) cutSocket() bool {
	c.mu.Lock()
	sess := c.sess
	c.mu.Unlock()
	if sess == nil || !sess.Attached() {
		return false
	}
	c.cut.Store(true)
	return sess.Cut()
}

// leave ends the session by agreement, or by force when ctx ends.
func (c *call) leave(ctx context.Context) {
	c.over.Store(true)
	c.mu.Lock()
	sess := c.sess
	if sess != nil && sess.End() == nil {
		c.ledger.say(utterance{fate: aside}, 0)
	}
	c.mu.Unlock()
	if sess == nil {
		return
	}
	select {
	case <-sess.Done():
	case <-ctx.Done():
		sess.Close()
		<-sess.Done()
	}
	c.close()
}

// close balances the books of a session that is over.
func (c *call) close() {
	c.mu.Lock()
	lost, acked := c.ledger.close()
	c.mu.Unlock()
	c.tally.close(lost, acked)
}
