package operator

import (
	"context"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"aila/proto"
)

// The history behind the charts: one point every 2 s for 10 minutes.
const (
	pointEvery = 2 * time.Second
	pointsKept = 300
)

// point is one moment of the charts.
type point struct {
	// TimeMS is when, in Unix milliseconds.
	TimeMS    int64   `json:"time_ms"`
	Sessions  int64   `json:"sessions"`
	FramesIn  float64 `json:"frames_in"`  // a second, of every kind
	FramesOut float64 `json:"frames_out"` // a second, of every kind
	// P99MS is the 99th percentile of the frame time since the last point, from the
	// histogram's buckets; nil: no frame passed.
	P99MS    *float64 `json:"p99_ms"`
	Restarts int64    `json:"restarts"` // since the last point
	Failed   int64    `json:"failed"`   // sessions that ended failed since the last point
}

// history is the last points, oldest first.
type history struct {
	mu     sync.Mutex
	points []point // guarded by mu
}

func (h *history) add(p point) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.points) == pointsKept {
		h.points = slices.Delete(h.points, 0, 1)
	}
	h.points = append(h.points, p)
}

// since copies the points newer than a time.
func (h *history) since(ms int64) []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, _ := slices.BinarySearchFunc(h.points, ms+1, func(p point, t int64) int { return int(p.TimeMS - t) })
	return append([]point{}, h.points[i:]...)
}

// Run takes a point for the charts every 2 s until ctx ends. Without it they stay empty.
func (a *API) Run(ctx context.Context) {
	tick := time.NewTicker(pointEvery)
	defer tick.Stop()
	last, then := a.op.Stats(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			stats := a.op.Stats()
			a.history.add(between(last, stats, now.Sub(then), now))
			last, then = stats, now
		}
	}
}

// between makes the point that lies between two looks at the totals.
func between(a, b proto.Stats, took time.Duration, now time.Time) point {
	p := point{
		TimeMS:    now.UnixMilli(),
		Sessions:  total(b.Sessions),
		FramesIn:  float64(total(b.FramesIn)-total(a.FramesIn)) / took.Seconds(),
		FramesOut: float64(total(b.FramesOut)-total(a.FramesOut)) / took.Seconds(),
		Restarts:  total(b.Restarts) - total(a.Restarts),
		Failed:    b.Ended[proto.EndFailed] - a.Ended[proto.EndFailed],
	}
	if s := quantile(0.99, a.FrameSeconds, b.FrameSeconds); !math.IsNaN(s) {
		ms := s * 1000
		p.P99MS = &ms
	}
	return p
}

func total[K comparable](m map[K]int64) int64 {
	var sum int64
	for _, n := range m {
		sum += n
	}
	return sum
}

// quantile estimates a quantile, in seconds, of what a histogram counted between two looks
// at it, by a straight line within the bucket that holds it; NaN: nothing was counted. What
// is larger than every bound counts as the largest bound.
func quantile(q float64, a, b proto.Histogram) float64 {
	counts := slices.Clone(b.Counts)
	var sum int64
	for i := range counts {
		if i < len(a.Counts) {
			counts[i] -= a.Counts[i]
		}
		sum += counts[i]
	}
	if sum <= 0 {
		return math.NaN()
	}
	rank, below, low := q*float64(sum), int64(0), 0.0
	for i, high := range b.Bounds {
		if i < len(counts) && float64(below+counts[i]) >= rank {
			return low + (high-low)*(rank-float64(below))/float64(counts[i])
		}
		below, low = below+counts[i], high
	}
	return low
}

// overview is the answer of GET /api/v1/stats.
type overview struct {
	Time                time.Time   `json:"time"`
	Draining            bool        `json:"draining"`
	FaultInjection      bool        `json:"fault_injection"`
	CanDrain            bool        `json:"can_drain"`
	EventReaders        int64       `json:"event_readers"`
	EventReadersDropped int64       `json:"event_readers_dropped"`
	Stats               proto.Stats `json:"stats"`
	History             []point     `json:"history"`
}

// showStats gives totals, and the points of the charts newer than ?after= (Unix ms).
func (a *API) showStats(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	f := query(r.URL, "after")
	after := f.number("after", 0, math.MaxInt64-1, 0)
	if err := f.problem(); err != nil {
		return 0, nil, err
	}
	stats := a.op.Stats()
	return http.StatusOK, overview{
		Time: time.Now().UTC(), Draining: stats.Draining, FaultInjection: a.op.FaultInjection(), CanDrain: a.opt.Drain != nil,
		EventReaders: a.readers.Load(), EventReadersDropped: a.dropped.Load(),
		Stats: stats, History: a.history.since(after),
	}, nil
}
