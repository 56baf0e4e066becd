package actors

import (
	"path"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

// What the client actor does when a child crashes: only that child is restarted, the user is
// told, and of the messages at most the one in the child's hands is lost.

// childFailed implements supervisor: one for one, within the budget.
func (c *client) childFailed(sup actor.Supervisor, child *actor.PID, cr *crash, message any) {
	i := childNamed(path.Base(child.Id))
	failed := c.event(proto.EvActorFailed, i)
	failed.Reason, failed.Stack = cr.reason, cr.stack
	c.hub.events.emit(failed)
	if c.ended != "" {
		sup.StopChildren(child)
		return
	}
	if c.kids[i].budget.spend(time.Now()) {
		c.hub.events.emit(c.event(proto.EvSupervisionExhausted, i))
		c.end(proto.EndFailed)
		return
	}
	c.rec.restarts[i].Add(1)
	c.hub.tally.restarts[i].Add(1)
	c.mem.Restarts++
	restarted := c.event(proto.EvActorRestarted, i)
	restarted.Reason = cr.reason
	c.hub.events.emit(restarted)
	c.own(i, c.inHand(message))
	sup.RestartChildren(child)
	if c.again && c.voice != opening {
		c.handOut()
	}
	c.pump()
}

// inHand tells whether the child crashed over the message that is in hand.
func (c *client) inHand(message any) bool {
	var msg proto.Inbound
	switch m := message.(type) {
	case proto.Inbound:
		msg = m
	case *listen:
		msg = (*proto.AudioIn)(m)
	case silence:
		msg = m.gap
	case turn:
		msg = m.msg
	case settled:
		msg = m.msg
	}
	return msg != nil && msg == c.hand
}

// own says the crash to the user. A frame that was in hand is lost, and named; anything else is
// given out again, since it has no sound that could be heard twice. One over which its child
// crashes every time uses up the restart budget.
func (c *client) own(child int, holding bool) {
	if child == voiceChild {
		c.voice = opening
	}
	f := proto.Fault{Code: proto.ActorRestarted, Message: "the " + children[child] + " actor crashed and was restarted"}
	switch m := c.hand.(type) {
	case *proto.AudioIn:
		if !holding {
			c.fault(f)
			return
		}
		f.ClientSeq = m.Seq
		c.fault(f)
		c.forfeit(m)
	case nil:
		c.fault(f)
	default:
		c.again, c.tried = c.again || holding, c.tried || holding
		c.fault(f)
	}
}

// forfeit books the frame that a child crashed over. The frame itself is left to the collector,
// since the crash may have left it in other hands. What follows it waits in the child's mailbox
// until that is restarted.
func (c *client) forfeit(f *proto.AudioIn) {
	lost := proto.NewAudioIn()
	lost.Head, lost.ReadAt = f.Head, f.ReadAt
	lost.Samples, _ = c.rec.format.Samples(f.Data)
	c.hand = lost
	c.lose(lost, proto.GapRestarted)
}

// voiceUp goes on: what waited for the voice is handed out.
func (c *client) voiceUp(msg voiceUp) {
	if c.ended != "" || msg.incarnation != c.rec.restarts[voiceChild].Load() {
		return
	}
	was := c.voice
	c.voice = up
	// What the last stream had open it will not finish, and the new one names its own items.
	c.endItem()
	c.names = nil
	if was == down {
		c.hub.events.emit(proto.Event{Event: proto.EvVoiceRestored, Session: c.rec.id, Voice: c.rec.voice.Name})
		c.sayGap()
		c.setState(&proto.SessionState{State: proto.Listening})
	}
	if c.again {
		c.handOut()
	}
	c.pump()
}

// voiceDown tells the user that nobody hears; what is said meanwhile is acknowledged and lost.
func (c *client) voiceDown(msg voiceDown) {
	if c.voice == down || c.ended != "" || msg.incarnation != c.rec.restarts[voiceChild].Load() {
		return
	}
	c.voice = down
	c.endItem()
	c.hub.events.emit(proto.Event{Event: proto.EvVoiceLost, Session: c.rec.id, Voice: c.rec.voice.Name})
	c.fault(proto.Fault{Code: proto.VoiceUnavailable, Message: voiceAway})
	c.setState(&proto.SessionState{State: proto.VoiceReconnecting})
	if c.ending {
		c.end(proto.EndClient)
		return
	}
	if c.again {
		c.again = false
		c.unheard(c.hand)
	}
	c.pump()
}
