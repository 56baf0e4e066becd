package main

import (
	"errors"
	"testing"
	"time"

	"aila/proto"
)

// survivor is the fault client's session: it numbers, keeps, resumes and says again by hand,
// on sockets that a test may break wherever it likes.
type survivor struct {
	*oracle
	t     testing.TB
	addr  string
	who   []string // headers of its handshakes
	p     *peer
	id    string
	token string
	size  int                      // bytes of a frame
	other map[int64]proto.Numbered // what was said that is not audio, by client seq
}

// survive starts a session on a new socket, with further headers in its handshakes.
func survive(t testing.TB, addr string, who ...string) *survivor {
	t.Helper()
	return surviveOn(connect(t, addr, who...), addr, who...)
}

// surviveOn starts a session on a socket that is there.
func surviveOn(p *peer, addr string, who ...string) *survivor {
	p.t.Helper()
	v := &survivor{oracle: newOracle(), t: p.t, addr: addr, who: who, p: p, size: 960, other: map[int64]proto.Numbered{}}
	v.p.say(&proto.Start{})
	started := want[*proto.SessionStarted](v.p)
	v.hear(started)
	v.id, v.token = started.SessionID, started.Resume.Token
	return v
}

// speak says n frames. Its error is the network's.
func (v *survivor) speak(n int) error {
	for range n {
		seq := int64(len(v.said)) + 1
		pcm := toneOf(seq, v.size)
		v.say(pcm)
		if err := v.p.write(frame(textFrame, []byte(audioChunk(seq, "", pcm)))); err != nil {
			return err
		}
	}
	return nil
}

// half is the next frame, cut after n bytes; it counts as said.
func (v *survivor) half(n int) []byte {
	seq := int64(len(v.said)) + 1
	pcm := toneOf(seq, v.size)
	v.say(pcm)
	b := frame(textFrame, []byte(audioChunk(seq, "", pcm)))
	return b[:n%len(b)]
}

// order says something numbered that is not audio.
func (v *survivor) order(m proto.Numbered) {
	v.t.Helper()
	seq := v.say(nil)
	m.Header().Seq, v.other[seq] = seq, m
	v.p.say(m)
}

// listen hears until ok says so of a message, or the socket ends, whose error it gives.
func (v *survivor) listen(ok func(proto.Outbound) bool) error {
	for {
		m, err := v.p.hear()
		if err != nil {
			return err
		}
		v.hear(m)
		if ok(m) {
			return nil
		}
	}
}

// must is listen, and the socket must not end.
func (v *survivor) must(what string, ok func(proto.Outbound) bool) {
	v.t.Helper()
	if err := v.listen(ok); err != nil {
		v.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// echoed tells whether a message is the echo of a frame, or of one after it.
func echoed(seq int64) func(proto.Outbound) bool {
	return func(m proto.Outbound) bool { a, ok := m.(*proto.AudioOut); return ok && a.Re >= seq }
}

// asks connects and asks for the session, without waiting for the answer.
func (v *survivor) asks() {
	v.t.Helper()
	v.p = connect(v.t, v.addr, v.who...)
	v.p.next = v.heard + 1
	v.p.say(&proto.Resume{SessionID: v.id, Token: v.token, LastSeq: v.heard})
}

// goesOn hears the answer to asks and says again what the server lacks.
func (v *survivor) goesOn() {
	v.t.Helper()
	resumed := want[*proto.SessionResumed](v.p)
	v.hear(resumed)
	v.token = resumed.Resume.Token
	for seq := resumed.LastSeq + 1; seq <= int64(len(v.said)); seq++ {
		if pcm := v.said[seq-1]; pcm != nil {
			v.p.raw(frame(textFrame, []byte(audioChunk(seq, "", pcm))))
		} else {
			v.p.say(v.other[seq])
		}
	}
}

// resume takes the session up on a new socket, says again what the server lacks, talks on, and
// gives how long it was from the connect to the first ack.
func (v *survivor) resume() time.Duration {
	v.t.Helper()
	began := time.Now()
	v.asks()
	v.goesOn()
	if err := v.speak(16); err != nil { // so much is acknowledged at once
		v.t.Fatalf("speak after a resume: %v", err)
	}
	v.must("the first ack after a resume", func(m proto.Outbound) bool { _, ok := m.(*proto.AckOut); return ok })
	return time.Since(began)
}

// end ends the session and checks its close and its counts, lost samples being announced.
func (v *survivor) end(lost int64) {
	v.t.Helper()
	v.order(&proto.End{})
	err := v.listen(func(proto.Outbound) bool { return false })
	var closed errClosed
	if !errors.As(err, &closed) || closed.Close != proto.CloseEnded {
		v.t.Errorf("the session's socket ended with %v, want close 1000", err)
	}
	v.wantCounts(proto.EndClient, lost)
}

// wantCounts holds session_ended against what was said and heard.
func (v *survivor) wantCounts(reason proto.EndReason, lost int64) {
	v.t.Helper()
	e := v.ended
	if e == nil {
		v.t.Fatal("no session_ended")
	}
	if in := v.spoken(); e.Reason != reason || e.SamplesIn != in || e.SamplesOut != v.samples || e.SamplesLost != lost {
		v.t.Errorf("session_ended %+v, want %s with %d samples in, %d out, %d lost", *e, reason, in, v.samples, lost)
	}
}
