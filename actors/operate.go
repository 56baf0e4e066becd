package actors

import (
	"context"
	"time"

	"aila/proto"
)

// What operators may ask and do. Every answer comes from the books.

// Sessions implements proto.Operator.
func (g *Gateway) Sessions(q proto.SessionQuery) (page []proto.SessionView, next string) {
	return g.hub.books.page(q)
}

// Session implements proto.Operator.
func (g *Gateway) Session(id string) (proto.SessionView, error) {
	rec := g.hub.books.session(id)
	if rec == nil {
		return proto.SessionView{}, proto.ErrNoSession
	}
	return rec.view(false), nil
}

// End implements proto.Operator.
func (g *Gateway) End(id string) error {
	rec := g.hub.books.session(id)
	if rec == nil {
		return proto.ErrNoSession
	}
	g.hub.send(rec.pid.Load(), endSession{proto.EndOperator})
	return nil
}

// Supervision implements proto.Operator.
func (g *Gateway) Supervision(q proto.EventQuery) (page []proto.Event, next int64) {
	return g.hub.events.query(q)
}

// Subscribe implements proto.Operator.
func (g *Gateway) Subscribe(ctx context.Context, after int64, buffer int) <-chan proto.Event {
	return g.hub.events.subscribe(ctx, after, buffer)
}

// FaultInjection implements proto.Operator.
func (g *Gateway) FaultInjection() bool { return g.hub.opts.FaultInjection }

// Voices implements proto.Operator.
func (g *Gateway) Voices() []string {
	names := make([]string, len(g.hub.opts.Voices))
	for i, v := range g.hub.opts.Voices {
		names[i] = v.Name
	}
	return names
}

// Stats implements proto.Operator.
func (g *Gateway) Stats() proto.Stats { return g.hub.stats() }

// Crash implements proto.Operator.
func (g *Gateway) Crash(id, name string, onFrame bool) error {
	if !g.hub.opts.FaultInjection {
		return proto.ErrForbidden
	}
	rec := g.hub.books.session(id)
	if rec == nil {
		return proto.ErrNoSession
	}
	if childNamed(name) < 0 {
		return proto.ErrNoActor
	}
	g.hub.send(rec.pid.Load(), crashChild{actor: name, onFrame: onFrame})
	return nil
}

// CrashManager panics the session manager: ErrForbidden without fault injection.
func (g *Gateway) CrashManager() error {
	if !g.hub.opts.FaultInjection {
		return proto.ErrForbidden
	}
	g.hub.send(g.manager, panicNow{})
	return nil
}

// Tree implements proto.Operator.
func (g *Gateway) Tree(id string, limit int) proto.ActorView {
	if id != "" {
		rec := g.hub.books.session(id)
		if rec == nil {
			return proto.ActorView{}
		}
		return rec.tree()
	}
	root := proto.ActorView{Name: managerName, Path: managerName, Restarts: g.hub.tally.managerFails.Load()}
	page, _ := g.hub.books.page(proto.SessionQuery{Limit: limit})
	for _, s := range page {
		if rec := g.hub.books.session(s.ID); rec != nil {
			root.Children = append(root.Children, rec.tree())
		}
	}
	return root
}

// tree is the session's part of the actor tree.
func (r *record) tree() proto.ActorView {
	waiting := func(i int) int { return r.boxes[i].UserMessageCount() }
	v := proto.ActorView{Name: r.id, Path: managerName + "/" + r.id, Session: r.id, Mailbox: waiting(0)}
	for i, name := range children {
		v.Children = append(v.Children, proto.ActorView{
			Name: name, Path: v.Path + "/" + name, Session: r.id, Restarts: r.restarts[i].Load(), Mailbox: waiting(1 + i),
		})
	}
	return v
}

// How a drain spreads its goodbyes: so many sessions at once, then a pause, so that not all
// clients come back to the next server in one instant.
const (
	goodbyeBatch = 256
	goodbyePause = 20 * time.Millisecond
)

// Drain refuses new sessions, tells every client to finish within left, waits until all have,
// and at the deadline (or when ctx ends) ends the rest with shutdown. It returns when no
// session lives. Resumes go on meanwhile. Calling it again waits likewise.
func (g *Gateway) Drain(ctx context.Context, left time.Duration) {
	deadline := time.Now().Add(left)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if g.hub.draining.Swap(true) {
		waitFor(ctx, g.hub.books.emptied())
		return
	}
	all := g.hub.books.all()
	g.hub.events.emit(proto.Event{Event: proto.EvDrainStarted, Count: int64(len(all))})
	start := time.Now()
	for i, rec := range all {
		if i%goodbyeBatch == goodbyeBatch-1 {
			pause(ctx, goodbyePause+time.Duration(jitter(int(goodbyePause))))
		}
		g.hub.send(rec.pid.Load(), depart{left: time.Until(deadline)})
	}
	waitFor(ctx, g.hub.books.emptied())
	rest := g.hub.books.all()
	for _, rec := range rest {
		g.hub.send(rec.pid.Load(), endSession{proto.EndShutdown})
	}
	final, cancelFinal := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancelFinal()
	waitFor(final, g.hub.books.emptied())
	g.hub.events.emit(proto.Event{Event: proto.EvDrainDone, Count: int64(len(rest)), TookMS: time.Since(start).Milliseconds()})
}

func waitFor(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
