package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"aila/proto"
)

// Fault 1: the socket is cut 50 times in one session, also in the middle of a frame, while
// both directions are busy.
func TestCutSocketLosesNothing(t *testing.T) {
	s := startServer(t, nil)
	restored := calm(t)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	v := survive(t, s.addr)
	var slowest time.Duration
	const cuts = 50
	for range cuts {
		if err := v.speak(r.IntN(40)); err != nil {
			t.Fatal(err)
		}
		hear := r.IntN(20)
		if sure := int64(len(v.said)) > v.last; sure {
			for range hear {
				m, err := v.p.hear()
				if err != nil {
					t.Fatal(err)
				}
				v.hear(m)
				if a, ok := m.(*proto.AudioOut); ok && a.Re == int64(len(v.said)) {
					break // nothing more may come
				}
			}
		}
		switch r.IntN(4) {
		case 0:
			v.p.raw(v.half(r.IntN(1300)))
			v.p.rst()
		case 1:
			v.p.raw(v.half(r.IntN(1300)))
			v.p.fin()
		case 2:
			v.p.fin()
		default:
			v.p.rst()
		}
		old := v.p
		slowest = max(slowest, v.resume())
		old.tcp.Close()
	}
	v.end(0)
	v.p.tcp.Close()
	if slowest > time.Second {
		t.Errorf("the first ack came %v after a connect, want under 1 s", slowest)
	}
	if n := s.supervision("event=session_resumed&session=" + v.id); len(n) != cuts {
		t.Errorf("%d resumes in the supervision log, want %d", len(n), cuts)
	}
	restored()
	report(t, "1", v.verdict(), "in %d cuts with %d frames; slowest first ack %v; seed %d", cuts, len(v.said), slowest, seed)
}

// A socket cut between a resume and its answer costs nothing: the token before the newest
// still opens.
func TestCutBetweenResumeAndItsAnswerCostsNothing(t *testing.T) {
	s := startServer(t, nil)
	v := survive(t, s.addr)
	v.converse(5)
	if err := v.speak(5); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		v.p.rst()
		v.asks()
		if i%2 == 0 { // the answer is on its way, and nobody reads it
			v.p.wait()
			if _, err := v.p.br.Peek(2); err != nil {
				t.Fatal(err)
			}
		}
	}
	v.p.rst()
	v.resume()
	v.end(0)
	report(t, "1", v.verdict(), "in 20 cuts between resume and session_resumed")
}

// A socket cut between end and session_ended: the resume brings the end, with all before it.
func TestCutBetweenEndAndSessionEndedCostsNothing(t *testing.T) {
	s := startServer(t, nil)
	var total verdict
	for _, cut := range []func(*peer){(*peer).rst, (*peer).fin} {
		v := survive(t, s.addr)
		v.converse(2)
		if err := v.speak(30); err != nil {
			t.Fatal(err)
		}
		v.order(&proto.End{})
		cut(v.p)
		v.asks()
		v.goesOn() // a reset may have eaten the end
		if err := v.listen(func(proto.Outbound) bool { return false }); err != error(errClosed{proto.CloseEnded}) {
			t.Errorf("after the resume of an ended session: %v, want close 1000", err)
		}
		v.wantCounts(proto.EndClient, 0)
		total = total.plus(v.verdict())
	}
	report(t, "1", total, "in cuts between end and session_ended")
}
