package actors

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The restart budget of each child of a session: more than maxRestarts in restartWindow, and
// its session ends with 1011.
const (
	maxRestarts   = 5
	restartWindow = 10 * time.Second
)

// guard stands around every actor of the house. In the library a Stop that meets a crash is
// lost, or a ghost Started runs after Stopped, and a panic in Stopping resurrects the actor;
// the cell, shared by all incarnations, remembers that the actor was stopped. Panics of
// messages go on to the supervisor with their stack; those of the farewells are reported and
// contained.
type guard struct {
	inner actor.Actor
	cell  *cell
	// report takes a panic that was contained.
	report func(*crash)
}

// cell outlives the incarnations of one actor. Only the actor's own mailbox touches it.
type cell struct{ stopping bool }

// Receive passes everything on to the actor inside.
func (g *guard) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		if g.cell.stopping {
			ctx.Stop(ctx.Self())
			return
		}
		g.pass(ctx)
	case *actor.Stopping:
		g.cell.stopping = true
		g.contain(ctx)
	case *actor.Stopped, *actor.Restarting:
		g.contain(ctx)
	default:
		g.pass(ctx)
	}
}

// pass lets a panic go on to the supervisor, with the stack it came from.
func (g *guard) pass(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil {
			panic(newCrash(r))
		}
	}()
	g.inner.Receive(ctx)
}

// contain reports a panic and goes on as if there had been none.
func (g *guard) contain(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil {
			g.report(newCrash(r))
		}
	}()
	g.inner.Receive(ctx)
}

// HandleFailure makes the guard its actor's supervisor strategy. An actor that supervises
// nobody gets its child stopped.
func (g *guard) HandleFailure(_ *actor.ActorSystem, sup actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, message any) {
	parent, ok := g.inner.(supervisor)
	if !ok {
		sup.StopChildren(child)
		return
	}
	c, ok := reason.(*crash)
	if !ok {
		c = newCrash(reason)
	}
	parent.childFailed(sup, child, c, message)
}

// supervisor is an actor that decides what becomes of its children. childFailed runs like a
// message of its own: between two others.
type supervisor interface {
	childFailed(sup actor.Supervisor, child *actor.PID, c *crash, message any)
}

// resuming is the guardian's strategy for the session manager: whatever happens in it, it goes
// on as it is, since restarting it would stop every session.
type resuming struct {
	report func(child *actor.PID, c *crash)
}

// HandleFailure implements actor.SupervisorStrategy.
func (r *resuming) HandleFailure(_ *actor.ActorSystem, sup actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any) {
	c, ok := reason.(*crash)
	if !ok {
		c = newCrash(reason)
	}
	r.report(child, c)
	sup.ResumeChildren(child)
}

// crash is a panic with the stack it came from. Neither holds what a user said: a stack shows
// arguments as addresses, and a panic's value is named only where it is the runtime's or ours.
type crash struct {
	reason string
	stack  string
}

// injected is the panic of fault injection, and bug that of our own checks.
type (
	injected string
	bug      string
)

func newCrash(v any) *crash {
	c, ok := v.(*crash)
	if ok {
		return c
	}
	return &crash{reason: reasonOf(v), stack: ownFrames(string(debug.Stack()))}
}

// ownFrames cuts a stack down to what lies between the panic and the guard: below it are only
// the calls that brought the message, which on one goroutine are many.
func ownFrames(stack string) string {
	if i := strings.LastIndex(stack, "\npanic("); i >= 0 {
		stack = stack[i+1:]
		for range 2 { // panic's own two lines
			_, stack, _ = strings.Cut(stack, "\n")
		}
	}
	if i := strings.Index(stack, "aila/actors.(*guard)."); i > 0 {
		stack = stack[:i]
	}
	return strings.TrimSpace(stack)
}

// reasonOf says why without quoting values that might be somebody's words.
func reasonOf(v any) string {
	switch v := v.(type) {
	case runtime.Error:
		return v.Error()
	case injected:
		return "injected: " + string(v)
	case bug:
		return string(v)
	}
	return fmt.Sprintf("panic with a %T", v)
}

func (c *crash) Error() string { return c.reason }

// LogValue keeps the library's own log line short.
func (c *crash) LogValue() slog.Value { return slog.StringValue(c.reason) }

// budget counts an actor's failures within restartWindow.
type budget struct{ failures []time.Time }

// spend counts one failure and tells whether the budget is exhausted.
func (b *budget) spend(now time.Time) (exhausted bool) {
	recent := b.failures[:0]
	for _, t := range b.failures {
		if now.Sub(t) < restartWindow {
			recent = append(recent, t)
		}
	}
	b.failures = append(recent, now)
	return len(b.failures) > maxRestarts
}
