package load

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// crowd is how many clients the figures are held to account with. AILA_LOAD_CLIENTS=10000
// makes it as many as the issue asks of one process, which takes three minutes.
func crowd(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("AILA_LOAD_CLIENTS"))
	if err != nil {
		return 12
	}
	t.Logf("%d clients", n)
	return n
}

func loaded(t *testing.T, o Options) *Report {
	t.Helper()
	p, err := Run(t.Context(), o)
	synctest.Wait() // the server's books are closed too
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	return p
}

// near compares milliseconds with what they are, to the precision of a histogram.
func near(t *testing.T, what string, got float64, want time.Duration) {
	t.Helper()
	if w := float64(want) / 1e6; math.Abs(got-w) > 0.002*w+0.002 {
		t.Errorf("%s: got %v ms, want %v", what, got, w)
	}
}

// TestFiguresTellWhatTheServerDid holds every figure against a server that delays, drops,
// doubles, swaps, damages and announces losses on purpose, and keeps books on it.
func TestFiguresTellWhatTheServerDid(t *testing.T) {
	plan := func(n int64) act {
		switch n % 20 {
		case 3:
			return drops
		case 6:
			return doubles
		case 9:
			return swaps
		case 13:
			return corrupts
		case 16, 17:
			return admits
		}
		return echoes
	}
	for _, binary := range []bool{false, true} {
		t.Run(fmt.Sprint("binary ", binary), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *fake) {
				s.plan, s.ackDelay, s.startDelay = plan, 10*time.Millisecond, 5*time.Millisecond
				o := s.options(crowd(t), 10*time.Second)
				o.Binary = binary
				p := loaded(t, o)
				f, d := p.Frames, s.did
				for _, row := range []struct {
					name      string
					got, want int64
				}{
					{"sent", f.Sent, s.frames},
					{"lost", f.Lost, d[drops]},
					{"lost though acknowledged", f.LostAcked, d[drops]},
					{"doubled", f.Doubled, d[doubles]},
					{"out of order", f.Reordered, d[swaps]},
					{"differing", f.Differing, d[corrupts]},
					{"announced", f.Announced, d[admits]},
					{"heard", f.Heard, s.frames - d[drops] - d[admits]},
					{"samples lost", p.Samples.Lost, 2400 * d[drops]},
					{"started", p.Events.Started, int64(o.Clients)},
					{"left", p.Events.Left, int64(o.Clients)},
					{"errors", p.Events.Sum(), 0},
					{"disagreeing", p.Events.Disagreeing, 0},
				} {
					if row.got != row.want {
						t.Errorf("%s: got %d, want %d", row.name, row.got, row.want)
					}
				}
				near(t, "p50", p.Echo.P50, 30*time.Millisecond)
				near(t, "max (swapped: a frame later)", p.Echo.Max, 130*time.Millisecond)
				near(t, "ack", p.Ack.P99, 10*time.Millisecond)
				near(t, "connect", p.Connect.P99, 5*time.Millisecond)
				near(t, "own lag", p.Own.Lag.Max, 0)
			})
		})
	}
}

// TestStallIsNotHidden: during a stall of a second clients go on as if nothing were, and the
// frames that it held up count from when they were due.
func TestStallIsNotHidden(t *testing.T) {
	bubble(t, func(t *testing.T, s *fake) {
		s.stallFrom, s.stallTo = 3*time.Second, 4*time.Second
		p := loaded(t, s.options(crowd(t), 10*time.Second))
		near(t, "p50", p.Echo.P50, 30*time.Millisecond)
		// A tenth of all frames were due in the stall; half of these waited half of it or more.
		if got := p.Echo.P95; got < 430 || got > 630 {
			t.Errorf("p95: got %v ms, want what is left after half of the stall: 530", got)
		}
		if got := p.Echo.Max; got < 930 || got > 1031 {
			t.Errorf("max: got %v ms, want the whole stall", got)
		}
		if p.Frames.Lost != 0 || p.Frames.Heard != p.Frames.Sent {
			t.Errorf("got %+v, want nothing lost", p.Frames)
		}
		var stalled, heard int64
		for _, r := range p.Rows {
			heard += r.Heard
			if r.Max > 800 {
				stalled++
			}
		}
		if stalled != 1 || heard != p.Frames.Heard {
			t.Errorf("rows: %d show the stall and %d frames, want 1 and %d", stalled, heard, p.Frames.Heard)
		}
	})
}

func TestClientsTalkInTurns(t *testing.T) {
	bubble(t, func(t *testing.T, s *fake) {
		o := s.options(20, 8*time.Second)
		o.Turns = Turns{Talk: time.Second, Listen: 3 * time.Second}
		p := loaded(t, o)
		if want := int64(20 * 8 * 10 / 4); p.Frames.Sent < want-20 || p.Frames.Sent > want+20 {
			t.Errorf("sent %d frames, want about %d: a quarter of the time", p.Frames.Sent, want)
		}
		if s.commits < 20 || p.Frames.Lost != 0 {
			t.Errorf("%d commits, %d lost, want one at least for each client and none", s.commits, p.Frames.Lost)
		}
	})
}

func TestClientsComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T, s *fake) {
		o := s.options(20, 5*time.Second)
		o.Churn = 10
		o.Spike = Spike{Clients: 30, At: 2 * time.Second, For: time.Second}
		p := loaded(t, o)
		if want := 20 + 30 + 49; s.started != want || p.Events.Started != int64(want) {
			t.Errorf("%d sessions, reported %d; want %d", s.started, p.Events.Started, want)
		}
		if s.most < 48 || s.most > 52 {
			t.Errorf("at most %d sessions at once, want 20 and 30", s.most)
		}
		if p.Frames.Lost != 0 || p.Events.Dropped != 0 || p.Events.Sum() != 0 {
			t.Errorf("got %+v, %+v; want nothing lost by those who leave", p.Frames, p.Events)
		}
	})
}

func TestTroubleHasAName(t *testing.T) {
	bubble(t, func(t *testing.T, s *fake) {
		s.refuse, s.failAfter = 3, 20
		p := loaded(t, s.options(10, 5*time.Second))
		if p.Events.Refused != 3 || p.Events.Errors["connect_503"] != 3 {
			t.Errorf("got %+v, want 3 refused with 503", p.Events)
		}
		if n := p.Events.Dropped; n < 10 || p.Events.Closes["1011"] != n || p.Events.Errors["session_closed_1011"] != n {
			t.Errorf("got %+v, want at least 10 dropped with 1011", p.Events)
		}
		if p.Events.Started < 20 {
			t.Errorf("%d started, want those who were dropped to call again", p.Events.Started)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, s *fake) {
		s.refuse = 1e6
		if _, err := Run(t.Context(), s.options(3, time.Second)); !errors.Is(err, ErrNobody) {
			t.Errorf("got %v, want ErrNobody", err)
		}
	})
}

func TestCapacityIsFound(t *testing.T) {
	bubble(t, func(t *testing.T, s *fake) {
		s.crowded, s.delay = 13, 5*time.Millisecond
		slo, err := ParseSLO("p99<20ms,lost=0")
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		p, err := Capacity(t.Context(), s.options(5, time.Second), slo, func(Trial) { said++ })
		if err != nil {
			t.Fatalf("search: %v", err)
		}
		if p.Capacity != 13 || said != len(p.Trials) || p.setting("clients") != "13" {
			t.Errorf("got %d clients, a report of %s, after %+v; want 13", p.Capacity, p.setting("clients"), p.Trials)
		}
	})
}
