package actors

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"aila/proto"
)

// hub is what all actors of a server share. Its fields are set by newHub and then only read;
// what they point to is safe for any goroutine.
type hub struct {
	opts     Options
	system   *actor.ActorSystem
	events   *events
	books    *books
	clock    *clock
	tally    *tally
	draining atomic.Bool
	work     sync.WaitGroup // goroutines that run f of spawn, and the clock
}

func newHub(o Options) *hub {
	h := &hub{opts: o, events: newEvents(o.Log), books: newBooks(), tally: new(tally)}
	h.clock = &clock{wake: func(r *record) {
		if pid := r.pid.Load(); pid != nil {
			h.send(pid, tick{})
		}
	}}
	h.system = actor.NewActorSystem(func(c *actor.Config) {
		// The library's lines name our messages. Those know how to keep words to themselves,
		// and its stories are told better by our events: only its warnings are kept.
		handler := zerolog.NewSlogHandler(o.Log.Level(max(o.Log.GetLevel(), zerolog.WarnLevel)))
		// Its throttle keeps a goroutine for so long after a dead letter, for a line that we drop.
		c.DeadLetterThrottleInterval = time.Millisecond
		c.LoggerFactory = func(*actor.ActorSystem) *slog.Logger { return slog.New(handler) }
	})
	h.system.EventStream.Subscribe(h.deadLetter)
	return h
}

// send posts a message to an actor. The actor runs now, on this goroutine, unless another one
// is running it.
func (h *hub) send(to *actor.PID, msg any) { h.system.Root.Send(to, msg) }

// spawn runs f on a goroutine and sends what it returns to its owner. A panic becomes a
// *crash, sent likewise. Stop waits for the goroutine, so f must end when its context does.
func (h *hub) spawn(owner *actor.PID, f func() any) {
	h.work.Add(1)
	go func() {
		defer h.work.Done()
		h.send(owner, contained(f))
	}()
}

// contained runs f and turns a panic into its result.
func contained(f func() any) (result any) {
	defer func() {
		if r := recover(); r != nil {
			result = newCrash(r)
		}
	}()
	return f()
}

// box is where an actor lives: its mailbox and what all its incarnations share.
type box struct {
	mailbox
	cell cell
}

// props are those of every actor of the house: inside the guard, with a mailbox of ours.
func (h *hub) props(b *box, name, session string, produce func() actor.Actor) *actor.Props {
	report := func(c *crash) {
		h.events.emit(proto.Event{Event: proto.EvActorFailed, Session: session, Actor: name, Reason: c.reason, Stack: c.stack})
	}
	return actor.PropsFromProducer(
		func() actor.Actor { return &guard{inner: produce(), cell: &b.cell, report: report} },
		actor.WithMailbox(func() actor.Mailbox { return &b.mailbox }),
	)
}

// deadLetter tells of a message for nobody. It runs on the sender's goroutine.
func (h *hub) deadLetter(e any) {
	d, ok := e.(*actor.DeadLetterEvent)
	if !ok || d.PID == nil {
		return
	}
	switch m := d.Message.(type) {
	case tick, farewell, hangup, *actor.Watch, *actor.Unwatch, *actor.Stop, *actor.Terminated, depart, endSession, opened, reopen:
		return // a session that ended meanwhile; nothing was lost
	case *utterance:
		m.release()
	case proto.Inbound:
		drop(m) // its socket is being closed and hears so
		return
	}
	h.events.emit(proto.Event{Event: proto.EvDeadLetter, Path: d.PID.Id})
}

// unhandled counts a message that an actor does not know: a bug of ours.
func (h *hub) unhandled(ctx actor.Context) {
	switch ctx.Message().(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return
	}
	h.tally.unhandled.Add(1)
	h.events.emit(proto.Event{Event: proto.EvDeadLetter, Path: ctx.Self().Id, Reason: "no handler"})
}
