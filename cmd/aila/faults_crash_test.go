package main

import (
	"strings"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// restarts reads aila_actor_restarts_total.
func (s *server) restarts(actor string) float64 {
	s.t.Helper()
	return s.metric(`aila_actor_restarts_total{actor="` + actor + `"}`)
}

// crashed waits for the word about a crash and gives it.
func (v *survivor) crashed() (f *proto.Fault) {
	v.t.Helper()
	v.must("actor_restarted", func(m proto.Outbound) bool { f, _ = m.(*proto.Fault); return f != nil })
	return f
}

// Fault 2: an actor crashes in mid-call, 5 times within its budget.
func TestCrashInMidCallCostsAtMostTheFrameInHand(t *testing.T) {
	s := startServer(t, nil)
	others := sing(t, s.ws(), 200, 200*time.Millisecond, client.Options{})
	var total verdict
	lost := 0
	for _, row := range []struct{ actor, on string }{
		{"audio", ""}, {"audio", "frame"}, {"voice", ""}, {"voice", "frame"}, {"control", ""}, {"control", "frame"},
	} {
		t.Run(row.actor+row.on, func(t *testing.T) {
			before := s.restarts(row.actor)
			v := survive(t, s.addr)
			for i := range 5 {
				if err := v.speak(5); err != nil {
					t.Fatal(err)
				}
				v.must("5 echoes", echoed(int64(len(v.said))))
				s.crash(v.id, row.actor, row.on)
				v.goOn(row.actor, row.on)
				v.order(&proto.TextIn{Text: "still there?"}) // control answers throughout
				v.must("a transcript", func(m proto.Outbound) bool { _, ok := m.(*proto.Transcript); return ok })
				if n := s.restarts(row.actor) - before; n != float64(i+1) {
					t.Errorf("aila_actor_restarts_total went up by %v, want %d", n, i+1)
				}
			}
			v.end(int64(480 * len(v.lost)))
			total, lost = total.plus(v.verdict()), lost+len(v.lost)
			if want := 5; row.on == "frame" && row.actor != "control" && len(v.lost) != want {
				t.Errorf("%d frames named as lost, want %d", len(v.lost), want)
			}
			if v.ended.Restarts != 5 {
				t.Errorf("session_ended says %d restarts, want 5", v.ended.Restarts)
			}
			s.wantCrashLog(t, v.id, row.actor, 5)
		})
	}
	beside := others.finish()
	report(t, "2", total.plus(beside), "in 30 crashes, %d frames named as lost; 200 sessions beside: %v", lost, beside)
}

// goOn goes on with the call after a crash was ordered and checks what is said about it.
func (v *survivor) goOn(actor, on string) {
	v.t.Helper()
	var f *proto.Fault
	if on == "" {
		f = v.crashed()
	}
	if on == "frame" && actor == "control" {
		v.order(&proto.Commit{})
		f = v.crashed()
	}
	if f == nil {
		if err := v.speak(1); err != nil {
			v.t.Fatal(err)
		}
		in := int64(len(v.said))
		if f = v.crashed(); f.ClientSeq != in {
			v.t.Errorf("error %+v, want client_seq %d", *f, in)
		}
		var gap *proto.GapOut
		v.must("its gap", func(m proto.Outbound) bool { gap, _ = m.(*proto.GapOut); return gap != nil })
		if pos := v.spoken(); gap.FromPos != pos-480 || gap.ToPos != pos || gap.Reason != proto.GapRestarted {
			v.t.Errorf("gap %+v, want %d to %d for actor_restarted", *gap, pos-480, pos)
		}
	} else if f.ClientSeq != 0 {
		v.t.Errorf("error %+v names a frame, and none was in hand", *f)
	}
	if f.Code != proto.ActorRestarted || f.Fatal || !strings.Contains(f.Message, actor) {
		v.t.Errorf("error %+v, want actor_restarted of %s, not fatal", *f, actor)
	}
	if err := v.speak(3); err != nil {
		v.t.Fatal(err)
	}
	v.must("3 echoes after it", echoed(int64(len(v.said))))
}

// wantCrashLog checks that operators see n crashes of an actor, in the API and in the log.
func (s *server) wantCrashLog(t *testing.T, id, actor string, n int) {
	t.Helper()
	restarted := s.supervision("event=actor_restarted&session=" + id)
	if len(restarted) != n {
		t.Fatalf("/api/v1/supervision has %d restarts, want %d", len(restarted), n)
	}
	if e := restarted[0]; e.Actor != actor || e.Restarts != int64(n) || !strings.HasPrefix(e.Reason, "injected: ") {
		t.Errorf("newest event %+v, want %s with restart %d and a reason", e, actor, n)
	}
	for _, e := range s.supervision("event=actor_failed&session=" + id) {
		if e.Actor != actor || !strings.Contains(e.Stack, ".go:") {
			t.Errorf("event %+v, want %s with a stack", e, actor)
		}
	}
	inLog := 0
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, `"event":"actor_restarted"`) && strings.Contains(line, id) && strings.Contains(line, `"actor":"`+actor+`"`) {
			inLog++
		}
	}
	if inLog != n {
		t.Errorf("%d restarts in the log, want %d", inLog, n)
	}
}

// Fault 3: 6 crashes in 10 s.
func TestCrashesOverTheBudgetEndThatSessionOnly(t *testing.T) {
	s := startServer(t, nil)
	others := sing(t, s.ws(), 20, 100*time.Millisecond, client.Options{})
	var total verdict
	for _, actor := range []string{"audio", "control", "voice"} {
		v := survive(t, s.addr)
		if err := v.speak(5); err != nil {
			t.Fatal(err)
		}
		v.must("5 echoes", echoed(5))
		for range 6 {
			s.crash(v.id, actor, "")
		}
		if err := v.listen(func(proto.Outbound) bool { return false }); err != error(errClosed{proto.CloseFailed}) {
			t.Errorf("%s: %v, want close 1011", actor, err)
		}
		v.wantCounts(proto.EndFailed, 0)
		if v.ended != nil && v.ended.Restarts != 5 {
			t.Errorf("%s: session_ended says %d restarts, want 5", actor, v.ended.Restarts)
		}
		for _, live := range s.sessions() {
			if live.ID == v.id {
				t.Errorf("%s: a zombie: %+v", actor, live)
			}
		}
		if e := s.supervision("event=supervision_exhausted&session=" + v.id); len(e) != 1 || e[0].Actor != actor {
			t.Errorf("%s: events %+v, want supervision_exhausted once", actor, e)
		}
		total = total.plus(v.verdict())
	}
	beside := others.finish()
	if n := len(s.sessions()); n != 0 {
		t.Errorf("%d sessions left, want none", n)
	}
	report(t, "3", total.plus(beside), "in 3 sessions with 6 crashes each; 20 sessions beside: %v", beside)
}

// Fault 4: the session manager's own actor panics.
func TestManagerCrashLosesNoSession(t *testing.T) {
	s := startServer(t, nil)
	others := sing(t, s.ws(), 50, 100*time.Millisecond, client.Options{})
	v := survive(t, s.addr)
	for range 50 {
		if err := s.house.gateway.CrashManager(); err != nil {
			t.Fatal(err)
		}
		v.converse(1)
		born := survive(t, s.addr) // a session is still born
		born.converse(1)
		born.end(0)
	}
	v.end(0)
	beside := others.finish()
	report(t, "4", v.verdict().plus(beside), "in 50 crashes of the session manager; 50 sessions beside: %v", beside)
}
