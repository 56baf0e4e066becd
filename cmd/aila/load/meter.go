package load

import (
	"context"
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// Row is one second of a run. Times are milliseconds, counts are of this second.
type Row struct {
	// T is the second's end, counted from the beginning of the run.
	T float64 `json:"t_s"`
	// Ramp: clients were still joining; the second is not part of the whole.
	Ramp bool `json:"ramp"`
	// Ending: talking was over, and what was on the way was still to be heard.
	Ending bool `json:"ending"`
	// Sessions there are at the end of the second, and Joining ones that are not yet started.
	Sessions int64 `json:"sessions"`
	Joining  int64 `json:"joining"`

	Sent      int64 `json:"sent"`
	Heard     int64 `json:"heard"`
	Lost      int64 `json:"lost"`
	Announced int64 `json:"announced_lost"`
	Doubled   int64 `json:"doubled"`
	Reordered int64 `json:"out_of_order"`
	Differing int64 `json:"differing"`
	Errors    int64 `json:"errors"`
	Refused   int64 `json:"refused"`
	Dropped   int64 `json:"dropped"`
	Cut       int64 `json:"sockets_cut"`
	SockLost  int64 `json:"sockets_lost"`
	Resumed   int64 `json:"resumed"`
	Crashed   int64 `json:"crashed"`

	P50    float64 `json:"p50_ms"`
	P90    float64 `json:"p90_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
	AckP99 float64 `json:"ack_p99_ms"`
	LagP99 float64 `json:"own_lag_p99_ms"`
	// CPU is what the generator used, in cores.
	CPU float64 `json:"own_cpu_cores"`
}

// Live is the state of a run under way.
type Live struct {
	Row
	// Elapsed and Total are times of the run.
	Elapsed, Total time.Duration
	// Whole is all frames so far, Errors all errors.
	Whole  Counts
	Errors int64
}

// meter reads the tallies once a second.
type meter struct {
	r    *run
	rows []Row

	last   Counts
	lastE  Events
	lastC  time.Duration // CPU
	lastAt time.Duration

	// The generator's own troubles while it was not ramping.
	cpuFrom, atFrom time.Duration
	schedFrom       []uint64
}

func newMeter(r *run) *meter {
	return &meter{r: r, lastC: ownCPU(), cpuFrom: ownCPU(), schedFrom: waits().Counts}
}

// run reads until ctx ends, and then once more.
func (m *meter) run(ctx context.Context) {
	for n := 1; pause(ctx, time.Duration(n)*time.Second-time.Since(m.r.began)); n++ {
		m.read()
	}
	m.read()
}

func (m *meter) read() {
	now := time.Since(m.r.began)
	passed := now - m.lastAt
	if passed < 50*time.Millisecond && len(m.rows) > 0 {
		return // not worth a row
	}
	s := second{echo: newTiming(), ack: newTiming(), lag: newTiming()}
	for _, t := range m.r.tallies {
		t.read(&s)
	}
	e := m.r.events.read()
	cpu := ownCPU()
	row := Row{
		T: round(now.Seconds()), Ramp: now <= m.r.o.Ramp, Ending: m.r.stopped.Load() > 0 && now > m.r.talked()+100*time.Millisecond,
		Sessions: m.r.active.Load(), Joining: m.r.joining.Load(),
		Sent: s.counts.Sent - m.last.Sent, Heard: s.counts.Heard - m.last.Heard,
		Lost: s.counts.Lost - m.last.Lost, Announced: s.counts.Announced - m.last.Announced,
		Doubled: s.counts.Doubled - m.last.Doubled, Reordered: s.counts.Reordered - m.last.Reordered,
		Differing: s.counts.Differing - m.last.Differing,
		Errors:    e.Sum() - m.lastE.Sum(), Refused: e.Refused - m.lastE.Refused, Dropped: e.Dropped - m.lastE.Dropped,
		Cut: e.Cut - m.lastE.Cut, SockLost: e.Lost - m.lastE.Lost, Resumed: e.Resumed - m.lastE.Resumed, Crashed: e.Crashed - m.lastE.Crashed,
		P50: ms(s.echo.quantile(50)), P90: ms(s.echo.quantile(90)), P99: ms(s.echo.quantile(99)), Max: ms(s.echo.quantile(100)),
		AckP99: ms(s.ack.quantile(99)), LagP99: ms(s.lag.quantile(99)),
		CPU: round((cpu - m.lastC).Seconds() / passed.Seconds()),
	}
	if row.Ramp {
		m.cpuFrom, m.atFrom, m.schedFrom = cpu, now, waits().Counts
	}
	m.rows = append(m.rows, row)
	m.last, m.lastE, m.lastC, m.lastAt = s.counts, e, cpu, now
	if m.r.o.Tick != nil {
		m.r.o.Tick(Live{Row: row, Elapsed: now, Total: m.r.o.Ramp + m.r.o.Duration, Whole: s.counts, Errors: e.Sum()})
	}
}

// Own is what the generator cost and how late it was, once the ramp was over.
type Own struct {
	// Lag is how late frames were sent.
	Lag Times `json:"lag"`
	// WaitP99 is how long goroutines waited for a processor: echoes were read so much later.
	WaitP99 float64 `json:"wait_p99_ms"`
	// CPU is what was used of Cores.
	CPU   float64 `json:"cpu_cores"`
	Cores int     `json:"cores"`
}

func (m *meter) own(lag timing) Own {
	o := Own{Lag: times(lag), Cores: runtime.GOMAXPROCS(0)}
	if passed := m.lastAt - m.atFrom; passed > 0 {
		o.CPU = round((m.lastC - m.cpuFrom).Seconds() / passed.Seconds())
	}
	w := waits()
	total, counts := uint64(0), make([]uint64, len(w.Counts))
	for i, n := range w.Counts {
		counts[i] = n
		if i < len(m.schedFrom) {
			counts[i] -= m.schedFrom[i]
		}
		total += counts[i]
	}
	for i, sum := 0, uint64(0); i < len(counts); i++ {
		sum += counts[i]
		if total > 0 && float64(sum) >= 0.99*float64(total) {
			if edge := w.Buckets[i+1]; !math.IsInf(edge, 0) {
				o.WaitP99 = round(edge * 1e3)
			}
			break
		}
	}
	return o
}

// waits is how long goroutines waited for a processor since the process began.
func waits() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return &metrics.Float64Histogram{}
	}
	return sample[0].Value.Float64Histogram()
}

func ms(d time.Duration) float64 { return round(float64(d) / 1e6) }

// round keeps three digits behind the point.
func round(x float64) float64 { return math.Round(x*1e3) / 1e3 }
