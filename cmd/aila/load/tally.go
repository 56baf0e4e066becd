package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Counts is what became of frames. Lost ones were said and never echoed; Announced ones too,
// but the server said so. Refused ones the client did not accept, since too much was not yet
// acknowledged.
type Counts struct {
	Sent      int64 `json:"sent"`
	Heard     int64 `json:"heard"`
	Lost      int64 `json:"lost"`
	LostAcked int64 `json:"lost_though_acked"` // part of Lost
	Announced int64 `json:"announced_lost"`
	Doubled   int64 `json:"doubled"`
	Reordered int64 `json:"out_of_order"`
	Differing int64 `json:"differing"`
	Refused   int64 `json:"refused_by_own_ring"`
}

func (c *Counts) add(d Counts) {
	c.Sent += d.Sent
	c.Heard += d.Heard
	c.Lost += d.Lost
	c.LostAcked += d.LostAcked
	c.Announced += d.Announced
	c.Doubled += d.Doubled
	c.Reordered += d.Reordered
	c.Differing += d.Differing
	c.Refused += d.Refused
}

// The bounds of what is measured. A longer time counts as the longest.
const (
	shortest = int64(time.Microsecond)
	longest  = int64(30 * time.Minute)
)

// timing is a distribution of times.
type timing struct{ h *hdrhistogram.Histogram }

func newTiming() timing {
	return timing{hdrhistogram.New(1, longest/shortest, 3)}
}

func (t timing) record(d int64) {
	t.h.RecordValue(max(0, min(d, longest)) / shortest) // in bounds: no error
}

// quantile is in nanoseconds; q from 0 to 100.
func (t timing) quantile(q float64) time.Duration {
	if t.h.TotalCount() == 0 {
		return 0
	}
	return time.Duration(t.h.ValueAtQuantile(q) * shortest)
}

// tally counts for the clients of one pacing goroutine.
type tally struct {
	// set by newTally
	from, to int64 // frames due from then to then count in the whole; nanoseconds of the run

	// guarded by mu
	mu             sync.Mutex
	counts         Counts
	echo, ack, lag timing // of the whole
	second         timing // echoes heard since the last reading
	secondAck      timing
	secondLag      timing
}

func newTally(from, to int64) *tally {
	return &tally{
		from: from, to: to,
		echo: newTiming(), ack: newTiming(), lag: newTiming(),
		second: newTiming(), secondAck: newTiming(), secondLag: newTiming(),
	}
}

func (t *tally) counted(due int64) bool { return due >= t.from && due < t.to }

// sent counts a frame that was given to the client at now.
func (t *tally) sent(due, now int64, lost bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Sent++
	if lost {
		t.counts.Lost++
	}
	t.secondLag.record(now - due)
	if t.counted(due) {
		t.lag.record(now - due)
	}
}

func (t *tally) refused() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Refused++
}

// heard counts an echo.
func (t *tally) heard(v verdict, due, now int64, passed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch v {
	case doubled:
		t.counts.Doubled++
	case differs:
		t.counts.Differing++
	case late:
		t.counts.Reordered++
	}
	t.counts.Lost += int64(passed)
	if due < 0 {
		return
	}
	t.counts.Heard++
	t.second.record(now - due)
	if t.counted(due) {
		t.echo.record(now - due)
	}
}

// acked counts the acknowledgement of frames that were due then.
func (t *tally) acked(due []int64, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range due {
		t.secondAck.record(now - d)
		if t.counted(d) {
			t.ack.record(now - d)
		}
	}
}

// gap counts frames that the server announced as lost, some of which had been passed over.
func (t *tally) gap(announced, passed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Announced += int64(announced)
	t.counts.Lost -= int64(passed)
}

// close counts what was open when a session ended.
func (t *tally) close(lost, acked int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Lost += int64(lost)
	t.counts.LostAcked += int64(acked)
}

// second is what the tallies saw since the last reading.
type second struct {
	counts         Counts // since the beginning
	echo, ack, lag timing
}

// read adds the tally to a second and begins the next one.
func (t *tally) read(s *second) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.counts.add(t.counts)
	for _, m := range []struct{ into, from timing }{{s.echo, t.second}, {s.ack, t.secondAck}, {s.lag, t.secondLag}} {
		m.into.h.Merge(m.from.h)
		m.from.h.Reset()
	}
}

// whole adds up what the tallies saw from the beginning.
func whole(all []*tally) second {
	w := second{echo: newTiming(), ack: newTiming(), lag: newTiming()}
	for _, t := range all {
		t.mu.Lock()
		w.counts.add(t.counts)
		w.echo.h.Merge(t.echo.h)
		w.ack.h.Merge(t.ack.h)
		w.lag.h.Merge(t.lag.h)
		t.mu.Unlock()
	}
	return w
}
