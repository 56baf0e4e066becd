package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

// control carries out what the user orders: text, turns, pauses, the end. What concerns the
// voice goes on to the voice; the client does the session's own part once that is done.
type control struct {
	// set by newControl
	hub     *hub
	rec     *record
	hearing *hearing

	armed bool // the next order crashes: fault injection
}

func newControl(h *hub, rec *record, hearing *hearing) *control {
	return &control{hub: h, rec: rec, hearing: hearing}
}

// Receive is the control actor's table of contents.
func (c *control) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	// life
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
	// from the client
	case *proto.Start:
		c.refuse(proto.Fault{Code: proto.AlreadyStarted, Message: "this session has started", Ref: msg.ID})
	case *proto.Refresh:
		c.confirm(msg)
	case *proto.Continue:
		c.within(msg, c.confirm)
	case *proto.TextIn, *proto.Commit, *proto.Interrupt, *proto.Pause, *proto.End:
		c.within(msg.(proto.ControlInbound), c.pass)
	case crashOrder:
		c.crash(msg)
	default:
		c.hub.unhandled(ctx)
	}
}

// within does next unless the rate limit is against it.
func (c *control) within(msg proto.ControlInbound, next func(proto.ControlInbound)) {
	if c.armed {
		panic(injected("crash over an order"))
	}
	if wait := c.hearing.controls.take(c.hearing.order, time.Now().UnixNano()); wait > 0 {
		c.refuse(rateLimited("controls and text", wait))
		return
	}
	next(msg)
}

// pass hands an order on to the voice, which confirms it.
func (c *control) pass(msg proto.ControlInbound) { c.rec.tell(voiceChild, turn{msg}) }

// confirm says that an order is carried out as far as the children are concerned.
func (c *control) confirm(msg proto.ControlInbound) { c.rec.tellClient(done{msg}) }

func (c *control) refuse(f proto.Fault) { c.rec.tellClient(refusal{f}) }

// crash is fault injection.
func (c *control) crash(order crashOrder) {
	if !order.onFrame {
		panic(injected("crash of the control actor"))
	}
	c.armed = true
}
