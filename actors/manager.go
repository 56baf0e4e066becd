package actors

import (
	"path"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

// managerName is the session manager's name, and the root of every path.
const managerName = "sessions"

// manager is the session manager: the parent of every session. It keeps nothing of its own
// (the books are shared), so a bug in one of its handlers costs one request and no session:
// its guardian resumes it.
type manager struct{ hub *hub }

// Receive is the session manager's table of contents.
func (m *manager) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	// life
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
	case *actor.Terminated:
		m.forget(msg)
	// from the gateway
	case *enter:
		m.enter(ctx, msg)
	case panicNow:
		panic(injected("crash of the session manager"))
	default:
		m.hub.unhandled(ctx)
	}
}

// enter gives birth to a session.
func (m *manager) enter(ctx actor.Context, e *enter) {
	rec := e.rec
	born := false
	defer func() {
		if !born { // also when this panics: who asked must not wait, and the place is free again
			m.hub.books.giveBack()
			e.reply <- nil
		}
	}()
	in := newInlet(m.hub, rec)
	props := m.hub.props(&rec.boxes[0], rec.id, rec.id, func() actor.Actor { return newClient(m.hub, rec, in, e.out) })
	rec.slot = m.hub.clock.enter(rec)
	pid, err := ctx.SpawnNamed(props, rec.id)
	if err != nil {
		return
	}
	rec.pid.Store(pid)
	m.hub.books.enter(rec)
	m.hub.events.emit(proto.Event{Event: proto.EvSessionStarted, Session: rec.id, Voice: rec.voice.Name, Path: pid.Id})
	born = true
	m.hub.send(pid, begin{in: in, expires: e.expires, reply: e.reply})
}

// childFailed ends a session whose client actor itself crashed: what it knew of the call
// cannot be trusted.
func (m *manager) childFailed(sup actor.Supervisor, child *actor.PID, c *crash, _ any) {
	id := path.Base(child.Id)
	m.hub.events.emit(proto.Event{Event: proto.EvActorFailed, Session: id, Actor: "client", Path: child.Id, Reason: c.reason, Stack: c.stack})
	sup.StopChildren(child)
}

// forget takes the last trace of a session that stopped out of the books. The library's list
// of children keeps the PIDs that it removes in its tail, until others come: they must not keep
// the sessions.
func (m *manager) forget(msg *actor.Terminated) {
	m.hub.send(msg.Who, farewell{})
	rec := m.hub.books.resumable(path.Base(msg.Who.Id))
	if rec == nil || !msg.Who.Equal(rec.pid.Load()) {
		return
	}
	m.hub.books.retire(rec, proto.EndFailed, false)
	m.hub.books.bury(rec)
}
