package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// quickly makes a client come back at once, also where its first socket is lost.
var quickly = client.Reconnect{First: true, Base: 5 * time.Millisecond, Cap: 20 * time.Millisecond}

// reciter says speech.wav with orders and words in between, and keeps all that it hears.
type reciter struct {
	*oracle
	session *client.Session
	room    chan struct{} // how many frames may be ahead of their echoes: few, so that no cut costs many

	// Owned by the session's reading goroutine until it is over.
	audio []byte
	log   []string // what the server said in order, numbers of sockets and times left out
}

func recite(ctx context.Context, url string, o client.Options) (*reciter, error) {
	r := &reciter{oracle: newOracle(), room: make(chan struct{}, 6)}
	o.Reconnect, o.KeepInterrupted = quickly, true
	o.OnEvent = func(_ *client.Session, m proto.Outbound) { r.listen(m) }
	var err error
	r.session, err = client.Dial(ctx, url, o)
	return r, err
}

func (r *reciter) listen(m proto.Outbound) {
	r.hear(m)
	switch m := m.(type) {
	case *proto.AudioOut:
		r.audio = append(r.audio, m.Data...)
		r.log = append(r.log, fmt.Sprintf("%d bytes of %s at %d", len(m.Data), m.ItemID, m.Pos))
		<-r.room
	case *proto.SessionState:
		r.log = append(r.log, string(m.State)+" "+m.ItemID)
	case *proto.AudioEnd:
		r.log = append(r.log, fmt.Sprintf("end of %s after %d", m.ItemID, m.Samples))
	case *proto.Interrupted:
		r.log = append(r.log, "interrupted "+m.ItemID)
	case *proto.Transcript:
		r.log = append(r.log, "says "+m.Text)
	case *proto.GapOut:
		r.log = append(r.log, fmt.Sprintf("gap %d to %d %s", m.FromPos, m.ToPos, m.Reason))
	case *proto.SessionEnded:
		r.log = append(r.log, fmt.Sprintf("ended %s: %d in, %d out, %d lost", m.Reason, m.SamplesIn, m.SamplesOut, m.SamplesLost))
	}
}

// say says a frame, and after some of them an order or a word.
func (r *reciter) say(i int, pcm []byte) error {
	r.room <- struct{}{}
	r.oracle.say(pcm)
	if _, err := r.session.Send(pcm); err != nil {
		return err
	}
	order := func(f func() error) error { r.oracle.say(nil); return f() }
	s := r.session
	switch {
	case i%97 == 50:
		return order(s.Commit)
	case i%61 == 30:
		return order(func() error { return s.Text(fmt.Sprintf("word %d", i)) })
	case i%113 == 70:
		return errors.Join(order(s.Pause), order(s.Continue))
	case i%71 == 40:
		return order(func() error { return s.Gap(480) })
	case i%131 == 90:
		return order(func() error { return s.Interrupt("", -1) })
	}
	return nil
}

// gapsOf is how many samples of gap say puts between n frames.
func gapsOf(n int) (samples int64) {
	for i := range n {
		if i%71 == 40 && i%97 != 50 && i%61 != 30 && i%113 != 70 {
			samples += 480
		}
	}
	return samples
}

// scissors draws where connections are cut, so that so many cuts are spread over all that is
// to be said.
type scissors struct {
	mu   sync.Mutex
	r    *rand.Rand
	left int           // cuts to be made
	todo *atomic.Int64 // bytes that are still to be said, about
}

func (s *scissors) next() cut {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return cut{}
	}
	mean := max(200, int(s.todo.Load())/(4*s.left)) // so that a fifth is still to be said after the last
	s.left--
	return cut{where: up + way(s.r.IntN(2)), after: s.r.IntN(2 * mean), body: s.r.IntN(4) != 0, fin: s.r.IntN(2) == 0}
}

// Fault 1 and more: a proxy cuts the connection at random bytes, 100 times in one speech. What
// is heard is what was spoken, sample for sample, and the orders and words stand in their
// places once: the whole log is that of a session that was never cut.
func TestSpeechOverAFailingNetworkIsHeardSampleForSample(t *testing.T) {
	const cuts = 100
	s := startServer(t, nil)
	frames := spoken(speech(t), 960)
	restored := calm(t)
	for round := range scale(1, 10) {
		for _, o := range []client.Options{{}, {Binary: true}} {
			seed := uint64(time.Now().UnixNano())
			todo := new(atomic.Int64)
			x := dig(t, s.addr, (&scissors{r: rand.New(rand.NewPCG(seed, 1)), left: cuts, todo: todo}).next)
			whole, _ := s.recital(t, s.ws(), o, frames, new(atomic.Int64))
			torn, stats := s.recital(t, x.ws(), o, frames, todo)
			if !slices.Equal(torn.log, whole.log) {
				t.Errorf("seed %d: the logs of a cut session and one that was not differ:\n%s", seed, firstDifference(torn.log, whole.log))
			}
			if n := x.cuts.Load(); n != cuts {
				t.Errorf("seed %d: %d cuts, want %d", seed, n, cuts)
			}
			x.fill()
			report(t, "1", torn.verdict(), "in a speech of %d frames with %d cuts at random bytes, round %d, binary %v: %d sockets, %d resumes, %d messages said again; seed %d",
				len(frames), x.cuts.Load(), round, o.Binary, stats.Connects, stats.Resumes, stats.Again, seed)
		}
	}
	restored()
}

// recital is one session that says it all, and the checks that any must pass.
func (s *server) recital(t *testing.T, url string, o client.Options, frames [][]byte, todo *atomic.Int64) (*reciter, client.Stats) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
	defer cancel()
	each := int64(len(encoded(&proto.AudioIn{Data: frames[0]})))
	todo.Store(each * int64(len(frames)))
	r, err := recite(ctx, url, o)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer r.session.Close()
	for i, f := range frames {
		if err := r.say(i, f); err != nil {
			t.Fatalf("say frame %d: %v", i, err)
		}
		todo.Store(each * int64(len(frames)-i-1))
	}
	if err := r.session.Flush(ctx); err != nil {
		t.Fatalf("flush: %v", err)
	}
	n, gaps := r.spoken(), gapsOf(len(frames))
	if v := s.view(t, r.session.Started().SessionID); v.SamplesIn != n+gaps || v.SamplesOut != n || v.SamplesLost != 0 {
		t.Errorf("the API says %d samples in, %d out, %d lost, want %d, %d and 0", v.SamplesIn, v.SamplesOut, v.SamplesLost, n+gaps, n)
	}
	r.oracle.say(nil)
	if err := r.session.Finish(ctx); err != nil {
		t.Errorf("finish: %v", err)
	}
	e := r.session.Ended()
	if e == nil || e.SamplesIn != n+gaps || e.SamplesOut != n || e.SamplesLost != 0 {
		t.Errorf("session_ended %+v, want %d samples in, %d out, 0 lost", e, n+gaps, n)
	}
	if want := slices.Concat(frames...); !bytes.Equal(r.audio, want) {
		t.Errorf("heard %d bytes that are not the %d spoken", len(r.audio), len(want))
	}
	return r, r.session.Stats()
}

// view is a session as operators see it.
func (s *server) view(t *testing.T, id string) (v proto.SessionView) {
	t.Helper()
	for _, v := range s.sessions() {
		if v.ID == id {
			return v
		}
	}
	t.Errorf("no session %s in the API", id)
	return v
}

func firstDifference(got, want []string) string {
	for i := range got {
		if i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("line %d: got %q, want %q", i, got[i], want[min(i, len(want)-1)])
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(got), len(want))
}

// Cuts where it matters most: while a session is taken up again, and while it ends.
func TestCutsInTheMiddleOfAResumeAndOfAnEndCostNothing(t *testing.T) {
	s := startServer(t, nil)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	frames := spoken(speech(t), 960)[:40]
	var total verdict
	var cuts int64
	sessions := scale(5, 100)
	for range sessions {
		// Of the sockets after the first, three are cut in the resume or in its answer.
		var sockets atomic.Int64
		net := rand.New(rand.NewPCG(rng.Uint64(), 1)) // of the proxy's goroutine
		x := dig(t, s.addr, func() cut {
			if n := sockets.Add(1); n == 1 || n > 4 {
				return cut{}
			}
			return cut{where: up + way(net.IntN(2)), after: net.IntN(150), body: true, fin: net.IntN(2) == 0}
		})
		v := s.tornRecital(t, x, rng, frames)
		total, cuts = total.plus(v), cuts+x.cuts.Load()
		x.fill()
	}
	report(t, "1", total, "in %d sessions with %d cuts in resumes, their answers, and ends; seed %d", sessions, cuts, seed)
}

// tornRecital says frames in a session whose socket is lost in the middle and at the end.
func (s *server) tornRecital(t *testing.T, x *tunnel, rng *rand.Rand, frames [][]byte) verdict {
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	r, err := recite(ctx, x.ws(), client.Options{})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer r.session.Close()
	for i, f := range frames {
		if err := r.say(i, f); err != nil {
			t.Fatalf("say: %v", err)
		}
		if i == len(frames)/2 {
			x.cutNext(up+way(rng.IntN(2)), 0, false)
		}
	}
	if err := r.session.Flush(ctx); err != nil {
		t.Fatalf("flush: %v", err)
	}
	// What comes next is the end on its way up, or audio_end and session_ended on theirs down.
	x.cutNext(up+way(rng.IntN(2)), rng.IntN(100), rng.IntN(2) == 0)
	r.oracle.say(nil)
	if err := r.session.Finish(ctx); err != nil {
		t.Errorf("finish: %v", err)
	}
	n, gaps := r.spoken(), gapsOf(len(frames))
	if e := r.session.Ended(); e == nil || e.SamplesIn != n+gaps || e.SamplesOut != n || e.SamplesLost != 0 {
		t.Errorf("session_ended %+v, want %d samples in, %d out, 0 lost", e, n+gaps, n)
	}
	if want := slices.Concat(frames...); !bytes.Equal(r.audio, want) {
		t.Errorf("heard %d bytes that are not the %d spoken", len(r.audio), len(want))
	}
	return r.verdict()
}
