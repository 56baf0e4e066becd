package actors

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// What was found by running protoactor-go, kept as tests: an update that changes one of these
// facts is noticed here.

// quiet is a system that keeps its stories to itself.
func quiet(t *testing.T) *actor.ActorSystem {
	t.Helper()
	h := newHub(Options{}.withDefaults())
	t.Cleanup(h.system.Shutdown)
	return h.system
}

// life records the life-cycle messages that an actor gets.
type life struct {
	mu   sync.Mutex
	seen []string
}

func (l *life) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, what)
}

func (l *life) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.seen, " ")
}

func (l *life) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		l.note("started")
	case *actor.Restarting:
		l.note("restarting")
	case *actor.Stopping:
		l.note("stopping")
	case *actor.Stopped:
		l.note("stopped")
	case string:
		l.note(msg)
		if msg == "boom" {
			panic(bug("boom"))
		}
	}
}

func ours(produce func() actor.Actor) *actor.Props {
	return actor.PropsFromProducer(produce, actor.WithMailbox(func() actor.Mailbox { return new(mailbox) }))
}

func TestRestartDeliversRestartingAndNeverStopping(t *testing.T) {
	system, l := quiet(t), &life{}
	pid := system.Root.Spawn(ours(func() actor.Actor { return l }))
	system.Root.Send(pid, "boom")
	system.Root.Send(pid, "after")
	if got, want := l.String(), "started boom restarting started after"; got != want {
		t.Errorf("life %q, want %q", got, want)
	}
}

func TestDefaultGuardianStopsAllChildrenOfACrashedRoot(t *testing.T) {
	system, child := quiet(t), &life{}
	pid := system.Root.Spawn(ours(func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				ctx.Spawn(ours(func() actor.Actor { return child }))
			case string:
				panic(bug("boom"))
			}
		})
	}))
	system.Root.Send(pid, "boom")
	if got, want := child.String(), "started stopping stopped started"; got != want {
		t.Errorf("the child's life %q, want %q: the guardian that resumes would not be needed", got, want)
	}
}

func TestGuardianThatResumesKeepsTheChildren(t *testing.T) {
	system, child := quiet(t), &life{}
	guardian := &resuming{report: func(*actor.PID, *crash) {}}
	pid := system.Root.Spawn(ours(func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				ctx.Spawn(ours(func() actor.Actor { return child }))
			case string:
				panic(bug("boom"))
			}
		})
	}).Configure(actor.WithGuardian(guardian)))
	system.Root.Send(pid, "boom")
	if got, want := child.String(), "started"; got != want {
		t.Errorf("the child's life %q, want %q", got, want)
	}
}

func TestStopDropsWhatPoisonHandles(t *testing.T) {
	system := quiet(t)
	for _, row := range []struct {
		name string
		stop func(*actor.PID)
		want string
	}{
		{"poison", system.Root.Poison, "started one two stopping stopped"},
		{"stop", system.Root.Stop, "started one stopping stopped"},
	} {
		l := &life{}
		var pid *actor.PID
		pid = system.Root.Spawn(ours(func() actor.Actor {
			return actor.ReceiveFunc(func(ctx actor.Context) {
				l.Receive(ctx)
				if ctx.Message() == "one" { // while it is at this, two is queued, then the end
					system.Root.Send(pid, "two")
					row.stop(pid)
				}
			})
		}))
		system.Root.Send(pid, "one")
		if got := l.String(); got != row.want {
			t.Errorf("%s: life %q, want %q", row.name, got, row.want)
		}
	}
}

// A Stop that meets a crash is lost in the library; inside the guard it is not.
func TestGuardKeepsAStopThatMeetsACrash(t *testing.T) {
	h := newHub(Options{}.withDefaults())
	defer h.system.Shutdown()
	for range 3000 {
		l := &life{}
		var stopped sync.WaitGroup
		stopped.Add(1)
		var once sync.Once
		pid := h.system.Root.Spawn(h.props(new(box), "x", "x", func() actor.Actor {
			return actor.ReceiveFunc(func(ctx actor.Context) {
				l.Receive(ctx)
				if _, ok := ctx.Message().(*actor.Stopped); ok {
					once.Do(stopped.Done)
				}
			})
		}))
		var both sync.WaitGroup
		both.Add(2)
		go func() { defer both.Done(); h.send(pid, "boom") }()
		go func() { defer both.Done(); h.system.Root.Stop(pid) }()
		both.Wait()
		stopped.Wait()
		got := l.String()
		if i := strings.Index(got, "stopped"); strings.Contains(got[i:], "started") {
			t.Fatalf("a ghost: life %q", got)
		}
	}
}

func TestGuardContainsPanicsOfFarewells(t *testing.T) {
	h := newHub(Options{}.withDefaults())
	defer h.system.Shutdown()
	for _, rude := range []any{&actor.Stopping{}, &actor.Stopped{}} {
		var lives atomic.Int32
		pid := h.system.Root.Spawn(h.props(new(box), "x", "x", func() actor.Actor {
			return actor.ReceiveFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					lives.Add(1)
				case *actor.Stopping:
					if _, ok := rude.(*actor.Stopping); ok {
						panic(bug("farewell"))
					}
				case *actor.Stopped:
					if _, ok := rude.(*actor.Stopped); ok {
						panic(bug("farewell"))
					}
				}
			})
		}))
		if err := h.system.Root.StopFuture(pid).Wait(); err != nil {
			t.Errorf("stop of an actor that panics in %T: %v", rude, err)
		}
		if lives.Load() != 1 {
			t.Errorf("%T: it lived %d times", rude, lives.Load())
		}
	}
	if ev, _ := h.events.query(eventsOf("actor_failed")); len(ev) != 2 || ev[0].Reason != "farewell" || ev[0].Stack == "" {
		t.Errorf("contained panics were not reported: %+v", ev)
	}
}

func TestBudgetIsFiveInTenSeconds(t *testing.T) {
	var b budget
	now := time.Unix(1000, 0)
	for i := range maxRestarts {
		if b.spend(now.Add(time.Duration(i) * time.Second)) {
			t.Fatalf("exhausted by failure %d", i+1)
		}
	}
	if b.spend(now.Add(11 * time.Second)) {
		t.Error("failures older than the window count")
	}
	if b.spend(now.Add(11 * time.Second)); !b.spend(now.Add(11 * time.Second)) {
		t.Error("six failures within the window are allowed")
	}
}
