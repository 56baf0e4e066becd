package actors

import (
	"path"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

// client is the actor of one session. It numbers, dedupes and acknowledges what the user's
// socket delivers, hands it to its children one message at a time, keeps what it says for
// replay, and writes it out. It outlives its socket and its children's crashes.
type client struct {
	// set by newClient
	hub     *hub
	rec     *record
	hearing *hearing

	self *actor.PID
	kids [len(children)]kid
	mem  memory

	// the socket; nil: none
	in       *inlet
	out      proto.Outlet
	patience *proto.Patience // nil: no error was said on this socket yet

	// from the user
	line  queue         // waits its turn behind hand
	hand  proto.Inbound // the one message that a child is at; nil: none
	again bool          // hand must be given out again once the voice is up
	tried bool          // hand was given out again already
	voice voiceState

	// to the user
	replay  replay
	item    item
	speech  proto.AudioOut // the one being written: a fresh one would cost an allocation a frame
	names   []itemAlias
	held    queue // utterances while paused
	heldMem int64 // bytes of held
	gate    *gate
	gap     proto.GapOut // not yet said; empty when From and To are equal
	unacked int          // taken since the last ack
	readAt  int64        // when the newest frame heard was read

	expires int64 // the token's end that dueToken is about, Unix seconds
	told    int64 // the token's end that the user was told of, likewise; 0: none

	due      deadlines
	stopping bool // the actor itself is being stopped
	ending   bool // end was taken; what the voice still has to say is awaited
	spoken   bool // the voice has finished
	// dismissed is why the session ends once nothing is in hand; empty: it does not.
	dismissed proto.EndReason
	ended     proto.EndReason
}

// kid is a child as its parent sees it.
type kid struct {
	pid    *actor.PID
	budget budget
}

// memory is what the session must remember to go on elsewhere, but for the messages kept for
// replay: plain data that could be written down.
type memory struct {
	Tokens     tokens
	Numbering  numbering
	Next       int64 // the client seq expected next
	Hole       bool  // Next was refused; what follows it is dropped in silence
	Frames     int64 // audio frames taken; what acks count where the client does not number
	Pos        int64 // samples taken: heard, gap or lost
	Lost       int64 // samples; part of Pos
	SamplesOut int64
	Items      int64
	Restarts   int64
	Paused     bool
	PausedFrom int64 // Pos when the pause began
	Binary     bool  // audio goes out as binary
}

// numbering is whether the client numbers its messages; its first one decides.
type numbering int

const (
	undecided numbering = iota
	numbered
	bare
)

// voiceState is what the client knows of its voice.
type voiceState int

const (
	opening voiceState = iota // nothing is handed out
	up
	down // input is acknowledged and lost
)

func newClient(h *hub, rec *record, in *inlet, out proto.Outlet) *client {
	c := &client{hub: h, rec: rec, in: in, out: out, gate: newGate(), hearing: newHearing(h.opts, rec.format)}
	c.mem.Next, c.mem.Binary, c.replay.first = 1, rec.binary, 1
	return c
}

// Receive is the client actor's table of contents: one line per message.
func (c *client) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	// life
	case *actor.Started:
		c.start(ctx)
	case *actor.Terminated:
		c.childDied(msg)
	case *actor.Restarting, *actor.Stopping:
		c.release()
	case *actor.Stopped:
		c.hub.clock.leave(c.rec.slot)
	// from the socket
	case proto.Inbound:
		c.take(msg)
	case hangup:
		c.detach(msg)
	default:
		c.fromHouse(ctx)
	}
}

// fromHouse is the part of the table that the manager, the gateway and the clock fill.
func (c *client) fromHouse(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case begin:
		c.greet(msg)
	case *attach:
		c.attach(msg)
	case endSession:
		c.dismiss(msg.reason)
	case depart:
		c.depart(msg)
	case crashChild:
		c.rec.tell(childNamed(msg.actor), crashOrder{msg.onFrame})
	case tick:
		c.tick(time.Now())
	default:
		c.fromChild(ctx)
	}
}

// fromChild is the part of the table that the children fill.
func (c *client) fromChild(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *heard:
		c.heard((*proto.AudioIn)(msg))
	case *muffled:
		c.muffled((*proto.AudioIn)(msg))
	case done:
		c.done(msg.msg)
	case refusal:
		c.refuse(msg.fault)
	case unheard:
		c.unheard(msg.msg)
	case *utterance:
		c.say(msg)
	case voiceUp:
		c.voiceUp(msg)
	case voiceDown:
		c.voiceDown(msg)
	case finished:
		c.finished()
	default:
		c.hub.unhandled(ctx)
	}
}

// start gives birth to the children.
func (c *client) start(ctx actor.Context) {
	c.self = ctx.Self()
	producers := [...]func() actor.Actor{
		audioChild:   func() actor.Actor { return newAudio(c.hub, c.rec, c.hearing) },
		controlChild: func() actor.Actor { return newControl(c.hub, c.rec, c.hearing) },
		voiceChild:   func() actor.Actor { return newTalker(c.hub, c.rec, c.gate) },
	}
	for i, name := range children {
		props := c.hub.props(&c.rec.boxes[1+i], name, c.rec.id, producers[i])
		pid, err := ctx.SpawnNamed(props, name)
		if err != nil {
			panic(bug("spawn " + name)) // the names are the session's own
		}
		c.kids[i].pid = pid
		c.hub.events.emit(c.event(proto.EvActorStarted, i))
	}
}

// greet says session_started, and lets the socket go on.
func (c *client) greet(b begin) {
	now, o := time.Now(), c.hub.opts
	c.hub.events.emit(proto.Event{Event: proto.EvSessionAttached, Session: c.rec.id})
	c.due.set(dueIdle, now.Add(o.IdleTimeout))
	c.due.set(dueMax, now.Add(o.MaxSession))
	c.due.set(dueWarn, now.Add(o.MaxSession-min(warnBeforeMax, o.MaxSession/2)))
	c.trust(b.expires)
	c.write(&proto.SessionStarted{
		SessionID: c.rec.id, Resume: c.grant(), Audio: c.rec.format, Voice: c.rec.voice.Name,
		Durability: "memory", HeartbeatMS: o.Heartbeat.Milliseconds(), Ref: c.rec.ref,
		Limits: proto.Limits{
			MaxMessageBytes: o.MaxMessageBytes, MaxAudioRate: max(0, o.MaxAudioRate), ReplayMS: replayAudio.Milliseconds(),
			IdleMS: o.IdleTimeout.Milliseconds(), SessionMS: o.MaxSession.Milliseconds(),
		},
	})
	b.reply <- b.in
}

// trust notes when the token ends, so that the user is told before, once for the same end; zero:
// never. A token that outlives the session needs no word.
func (c *client) trust(until time.Time) {
	c.due[dueToken] = 0
	now := time.Now()
	left := until.Sub(now)
	if !until.IsZero() && until.Unix() != c.told && left > 0 && left < c.hub.opts.MaxSession {
		c.expires = until.Unix()
		c.due.set(dueToken, now.Add(left-min(warnBeforeExpiry, left/2)))
	}
	c.rearm()
}

// warn tells the user that the token is about to end.
func (c *client) warn() {
	c.told = c.expires
	c.write(&proto.Notice{Kind: "token_expiring", Text: "the token ends soon: send a fresh one with refresh"})
}

// grant makes a fresh resume token.
func (c *client) grant() proto.ResumeGrant {
	return proto.ResumeGrant{Token: c.mem.Tokens.rotate(), WindowMS: c.hub.opts.ResumeWindow.Milliseconds()}
}

// end is the one way in which a session ends: what is pending goes out, then session_ended,
// then the close that belongs to the reason.
func (c *client) end(reason proto.EndReason) {
	if c.ended != "" {
		return
	}
	c.unpause("")
	c.endItem()
	c.ack()
	c.ended = reason
	c.write(&proto.SessionEnded{
		Reason: reason, DurationMS: time.Since(c.rec.startedAt).Milliseconds(), SamplesIn: c.mem.Pos,
		SamplesOut: c.mem.SamplesOut, SamplesLost: c.mem.Lost, Restarts: c.mem.Restarts,
	})
	c.hub.books.retire(c.rec, reason, c.replay.n > 0)
	c.hub.events.emit(proto.Event{
		Event: proto.EvSessionEnded, Session: c.rec.id, Reason: string(reason), Restarts: c.mem.Restarts,
		TookMS: time.Since(c.rec.startedAt).Milliseconds(), Code: reason.Close().Code,
	})
	c.leave(reason.Close())
	c.dropLine()
	c.gate.close()
	if !c.stopping { // else the library stops them
		for _, k := range c.kids {
			c.hub.system.Root.Stop(k.pid)
		}
	}
	c.due = deadlines{}
	c.due.set(dueGone, time.Now().Add(lingerAfterEnd))
	c.rearm()
}

// dismiss ends the session at somebody's order, once the message in hand is booked: what was
// answered is counted.
func (c *client) dismiss(reason proto.EndReason) {
	if c.hand != nil && c.voice == up {
		c.dismissed = reason
		return
	}
	c.end(reason)
}

// leave closes the socket, if there is one, and shuts the door behind it.
func (c *client) leave(cl proto.Close) {
	if c.in != nil {
		c.in.shut()
		c.settleToken()
	}
	if c.out != nil {
		c.out.Close(cl)
	}
	c.in, c.out = nil, nil
	c.rec.outlet.Store(nil)
}

// dropLine gives back what waits and what is in hand.
func (c *client) dropLine() {
	for c.line.len() > 0 {
		drop(c.line.pop().(proto.Inbound))
	}
	c.hand = nil // a child may still look at it: left to the collector
	for c.held.len() > 0 {
		c.held.pop().(*utterance).release()
	}
}

// release lets go of everything when the actor stops, also when that is because it crashed:
// then the user hears the end of the session all the same.
func (c *client) release() {
	c.stopping = true
	c.end(proto.EndFailed)
	c.hub.books.bury(c.rec)
	c.replay.release()
}

// childDied notes that a child stopped. If nobody ordered that, half a session is worse than
// none.
func (c *client) childDied(msg *actor.Terminated) {
	i := childNamed(path.Base(msg.Who.Id))
	if i < 0 {
		return
	}
	c.hub.events.emit(c.event(proto.EvActorStopped, i))
	c.end(proto.EndFailed)
}

// depart tells the client that the server is going.
func (c *client) depart(msg depart) {
	if c.ended != "" {
		return
	}
	c.send(&proto.GoAway{Reason: "drain", TimeLeftMS: max(0, msg.left.Milliseconds()), Action: "end"}, kindEvent)
	c.setState(&proto.SessionState{State: proto.Draining})
}

// event begins an event about a child.
func (c *client) event(name string, child int) proto.Event {
	return proto.Event{
		Event: name, Session: c.rec.id, Actor: children[child], Path: managerName + "/" + c.rec.id + "/" + children[child],
		Restarts: c.rec.restarts[child].Load(),
	}
}
