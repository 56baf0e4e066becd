package actors

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"aila/actors/voice"
	"aila/proto"
)

var faulty = Options{FaultInjection: true}

// A crash without a frame in hand costs nothing but a word.
func TestCrashRestartsThatActorOnly(t *testing.T) {
	for _, child := range children {
		t.Run(child, func(t *testing.T) {
			r := newRig(t, faulty, &proto.Start{})
			r.echoes(r.audio(), r.audio())
			for range maxRestarts {
				if err := r.g.Crash(r.started.SessionID, child, false); err != nil {
					t.Fatal(err)
				}
				f := next[*proto.Fault](t, r.w)
				if f.Code != proto.ActorRestarted || f.Fatal || !strings.Contains(f.Message, child) || f.ClientSeq != 0 {
					t.Fatalf("said %+v", f)
				}
				r.echoes(r.audio())
			}
			v, _ := r.g.Session(r.started.SessionID)
			if v.Restarts != maxRestarts || v.SamplesLost != 0 {
				t.Errorf("%d restarts, %d lost; want %d and 0", v.Restarts, v.SamplesLost, maxRestarts)
			}
			events, _ := r.g.Supervision(proto.EventQuery{Session: r.started.SessionID, Event: proto.EvActorRestarted})
			if len(events) != maxRestarts || events[0].Actor != child || events[0].Restarts != maxRestarts {
				t.Errorf("events %+v", events)
			}
			failed, _ := r.g.Supervision(proto.EventQuery{Session: r.started.SessionID, Event: proto.EvActorFailed, Limit: 1})
			if len(failed) != 1 || !strings.Contains(failed[0].Stack, ".crash(") || !strings.HasPrefix(failed[0].Reason, "injected") {
				t.Errorf("failure without its stack: %+v", failed)
			}
			if got := r.g.Stats().Restarts[child]; got != maxRestarts {
				t.Errorf("%d restarts counted, want %d", got, maxRestarts)
			}
			for _, other := range r.g.Tree(r.started.SessionID, 0).Children {
				if other.Name != child && other.Restarts != 0 {
					t.Errorf("%s was restarted too", other.Name)
				}
			}
		})
	}
}

// A frame in hand is named, stands as a gap, is acknowledged and counts as lost; nothing else is.
func TestCrashOverAFrameLosesThatFrameOnly(t *testing.T) {
	for _, child := range []string{"audio", "voice"} {
		t.Run(child, func(t *testing.T) {
			r := newRig(t, faulty, &proto.Start{})
			r.echoes(r.audio())
			if err := r.g.Crash(r.started.SessionID, child, true); err != nil {
				t.Fatal(err)
			}
			r.audio() // 2: lost
			f := next[*proto.Fault](t, r.w)
			if f.Code != proto.ActorRestarted || f.ClientSeq != 2 {
				t.Errorf("said %+v, want client_seq 2", f)
			}
			if g := next[*proto.GapOut](t, r.w); g.FromPos != 480 || g.ToPos != 960 || g.Reason != proto.GapRestarted {
				t.Errorf("gap %+v", g)
			}
			for range 20 {
				r.echoes(r.audio())
			}
			r.deliver(&proto.End{Head: r.head("")})
			ended := next[*proto.SessionEnded](t, r.w)
			if ended.SamplesIn != 22*480 || ended.SamplesLost != 480 || ended.SamplesOut != 21*480 || ended.Restarts != 1 {
				t.Errorf("session_ended %+v", ended)
			}
		})
	}
}

// An order in hand is carried out all the same: it has no sound that could be heard twice.
func TestCrashOverAnOrderLosesNothing(t *testing.T) {
	r := newRig(t, faulty, &proto.Start{})
	r.echoes(r.audio())
	if err := r.g.Crash(r.started.SessionID, "control", true); err != nil {
		t.Fatal(err)
	}
	r.deliver(&proto.TextIn{Head: r.head(""), Text: "hello"})
	if f := next[*proto.Fault](t, r.w); f.Code != proto.ActorRestarted || f.ClientSeq != 0 {
		t.Errorf("said %+v", f)
	}
	if tr := next[*proto.Transcript](t, r.w); tr.Text != "hello" {
		t.Errorf("transcript %+v", tr)
	}
	r.echoes(r.audio())
}

func TestCrashesOverBudgetEndTheSession(t *testing.T) {
	g := startServer(t, faulty)
	r, other := join(t, g, &proto.Start{}), join(t, g, &proto.Start{})
	for range maxRestarts + 1 {
		if err := g.Crash(r.started.SessionID, "audio", false); err != nil {
			t.Fatal(err)
		}
	}
	if e := next[*proto.SessionEnded](t, r.w); e.Reason != proto.EndFailed || e.Restarts != maxRestarts {
		t.Errorf("session_ended %+v", e)
	}
	if c := r.w.closed(t); c != proto.CloseFailed {
		t.Errorf("closed with %v", c)
	}
	if page, _ := g.Sessions(proto.SessionQuery{}); len(page) != 1 || page[0].ID != other.started.SessionID {
		t.Errorf("sessions left: %+v", page)
	}
	if ev, _ := g.Supervision(proto.EventQuery{Event: proto.EvSupervisionExhausted}); len(ev) != 1 || ev[0].Actor != "audio" {
		t.Errorf("events %+v", ev)
	}
	if err := g.Crash(r.started.SessionID, "audio", false); err != proto.ErrNoSession {
		t.Errorf("crash of a session that ended: %v", err)
	}
	other.echoes(other.audio())
}

func TestSessionManagerCrashLosesNoSession(t *testing.T) {
	g := startServer(t, faulty)
	r := join(t, g, &proto.Start{})
	for range 20 {
		if err := g.CrashManager(); err != nil {
			t.Fatal(err)
		}
		r.echoes(r.audio())
	}
	late := join(t, g, &proto.Start{})
	late.echoes(late.audio())
	if n := g.Stats().Restarts[managerName]; n != 20 {
		t.Errorf("%d crashes of the manager counted, want 20", n)
	}
}

func TestClientActorCrashEndsItsSessionHonestly(t *testing.T) {
	g := startServer(t, faulty)
	r, other := join(t, g, &proto.Start{}), join(t, g, &proto.Start{})
	g.hub.send(g.hub.books.session(r.started.SessionID).pid.Load(), (*attach)(nil)) // a bug of ours
	if e := next[*proto.SessionEnded](t, r.w); e.Reason != proto.EndFailed {
		t.Errorf("session_ended %+v", e)
	}
	if c := r.w.closed(t); c != proto.CloseFailed {
		t.Errorf("closed with %v", c)
	}
	for deadline := time.Now().Add(5 * time.Second); g.hub.books.resumable(r.started.SessionID) != nil; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the crashed session is still in the books")
		}
	}
	other.echoes(other.audio())
}

func TestCrashNeedsFaultInjection(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	if err := r.g.Crash(r.started.SessionID, "audio", false); err != proto.ErrForbidden {
		t.Errorf("Crash: %v, want ErrForbidden", err)
	}
	if err := r.g.CrashManager(); err != proto.ErrForbidden {
		t.Errorf("CrashManager: %v, want ErrForbidden", err)
	}
}

// rude panics wherever it is told to.
type rude struct {
	voice.Echo
	open, write bool
}

type rudeStream struct {
	voice.Stream
	v *rude
}

func (v *rude) Open(ctx context.Context, s voice.Setup, a voice.Answer) (voice.Stream, error) {
	if v.open {
		v.open = false
		panic("secret words")
	}
	stream, err := v.Echo.Open(ctx, s, a)
	return &rudeStream{stream, v}, err
}

func (s *rudeStream) Write(c voice.Chunk, now voice.Reply) error {
	if s.v.write {
		s.v.write = false
		panic("secret words")
	}
	return s.Stream.Write(c, now)
}

func TestPanicOfABackendIsContainedAndItsWordsAreNot(t *testing.T) {
	for _, v := range []*rude{{open: true}, {write: true}} {
		r := newRig(t, Options{Voices: []NamedVoice{{"rude", v}}}, &proto.Start{})
		r.audio()
		next[*proto.Fault](t, r.w)
		// What came while nobody heard is lost; what comes after is heard.
		for {
			seq := r.audio()
			r.w.mu.Lock()
			var echoed bool
			for _, m := range r.w.said {
				a, ok := m.(*proto.AudioOut)
				echoed = echoed || ok && a.Re == seq
			}
			r.w.mu.Unlock()
			if echoed {
				break
			}
		}
		events, _ := r.g.Supervision(proto.EventQuery{})
		for _, ev := range events {
			if strings.Contains(ev.Reason+ev.Stack+ev.Err, "secret") {
				t.Errorf("a panic's value is in the log: %+v", ev)
			}
		}
	}
}
