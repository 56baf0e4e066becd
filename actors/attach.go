package actors

import (
	"crypto/subtle"
	"time"

	"aila/proto"
)

// attach joins a new socket to the session: it proves itself by the resume token, takes the
// place of the old socket if that still lives, and gets what it lacks.
func (c *client) attach(a *attach) {
	r := a.hello.Resume
	if fault := c.prove(a.hello); fault != nil {
		a.reply <- attached{fault: fault}
		return
	}
	c.leave(proto.CloseTakenOver)
	c.replay.forget(r.LastSeq)
	c.mem.Tokens.accept(r.Token)
	in := newInlet(c.hub, c.rec)
	c.in, c.out, c.patience = in, a.out, nil
	c.rec.remote.Store(&a.hello.Remote)
	c.rec.outlet.Store(&a.out)
	c.rec.counts.resumes.Add(1)
	if c.due[dueWindow] != 0 {
		c.hearing.audio.add(time.Duration(time.Now().UnixNano() - c.due[dueWindow] + int64(c.hub.opts.ResumeWindow)))
		c.due[dueWindow] = 0
	}
	c.send(&proto.SessionResumed{
		SessionID: c.rec.id, LastSeq: c.has(), Replay: proto.Range{From: r.LastSeq + 1, To: c.replay.last()},
		Resume: c.grant(), Ref: r.ID,
	}, kindEvent)
	c.replay.from(r.LastSeq, func(e entry) { c.ship(e, kindEvent) })
	c.hub.events.emit(proto.Event{Event: proto.EvSessionAttached, Session: c.rec.id})
	c.hub.events.emit(proto.Event{
		Event: proto.EvSessionResumed, Session: c.rec.id, Count: int64(c.replay.n), Bytes: c.replay.bytes,
	})
	if c.ended != "" {
		c.leave(c.ended.Close())
	} else {
		c.stir(time.Now().UnixNano())
		c.regate()
		c.trust(a.hello.Expires)
		c.pump()
	}
	a.reply <- attached{in: in}
}

// prove checks a resume. All its refusals are one answer; only who has the right token learns
// that the replay is gone.
func (c *client) prove(hello proto.Hello) *proto.Fault {
	r := hello.Resume
	c.settleToken()
	proof := c.mem.Tokens.check(r.Token)
	mine := subtle.ConstantTimeCompare([]byte(hello.Subject), []byte(c.rec.subject)) == 1
	if proof == used {
		c.hub.events.emit(proto.Event{Event: proto.EvTokenReused, Session: c.rec.id})
	}
	if proof != good || !mine || r.LastSeq > c.replay.last() || r.LastSeq < 0 {
		return c.hub.refuseResume(r.ID)
	}
	if r.LastSeq+1 < c.replay.first {
		c.hub.tally.resumes[resumeGone].Add(1)
		c.hub.tally.fault(proto.ReplayGone)
		return &proto.Fault{Code: proto.ReplayGone, Message: "what this client lacks is no longer kept", Fatal: true, Ref: r.ID}
	}
	return nil
}

// settleToken voids the token before the newest once the client has spoken on the socket that
// brought it the newest. A message of the socket before that, come late, says nothing of it.
func (c *client) settleToken() {
	if c.in != nil && c.in.spoke.Load() {
		c.mem.Tokens.PreviousGood = false
	}
}

// detach lets the session wait for a resume.
func (c *client) detach(h hangup) {
	if h.in != c.in || c.in == nil {
		return
	}
	var queued int64
	if c.out != nil {
		queued = c.out.QueueBytes()
	}
	c.in.shut()
	c.settleToken()
	c.in, c.out = nil, nil
	c.rec.outlet.Store(nil)
	c.due.set(dueWindow, time.Now().Add(c.hub.opts.ResumeWindow))
	c.due[dueIdle], c.due[dueToken] = 0, 0
	c.regate()
	c.rearm()
	c.hub.events.emit(proto.Event{Event: proto.EvSessionDetached, Session: c.rec.id, Code: h.close.Code, Reason: h.close.Reason, Bytes: queued})
	c.pump()
}

// has is what an ack says: the highest contiguous client seq, or the count of frames.
func (c *client) has() int64 {
	if c.mem.Numbering == bare {
		return c.mem.Frames
	}
	return c.mem.Next - 1
}
