package load

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what a run found out. It is what --json writes.
type Report struct {
	Tool     string    `json:"tool"`
	Version  string    `json:"version,omitempty"`
	Began    time.Time `json:"began"`
	Settings []Setting `json:"settings"`
	Command  string    `json:"command,omitempty"`
	// Seconds is how long the part lasted that times are taken from: after the ramp.
	Seconds float64 `json:"seconds"`
	// Stopped says that the run was stopped before its time.
	Stopped bool `json:"stopped,omitempty"`

	Frames  Counts `json:"frames"`
	Samples Counts `json:"samples"`
	Events  Events `json:"events"`
	// Echo is the round trip of a frame, from when it should have been sent.
	Echo Times `json:"echo"`
	// Ack is from when a frame should have been sent to its acknowledgement.
	Ack Times `json:"ack"`
	// Connect is from when a client should have called to the start of its session.
	Connect Times `json:"connect"`
	// Resume is from the loss of a socket to the session on another, the client's own wait
	// before it calls again included.
	Resume Times `json:"resume"`
	Own    Own   `json:"own"`
	// Warnings are what spoils the figures.
	Warnings []string `json:"warnings"`
	ownFault bool

	Rows      []Row    `json:"rows"`
	Histogram []Bucket `json:"histogram"`
	Percents  []Point  `json:"percentiles"`

	// SLO is what was judged; empty: nothing was.
	SLO []Part `json:"slo,omitempty"`
	// Trials are the runs that a search for the capacity made; empty: there was none.
	Trials []Trial `json:"trials,omitempty"`
	// Capacity is what that search found; 0: no number of clients was good.
	Capacity int `json:"capacity,omitzero"`
}

// Setting is one thing that was asked for.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Times sums up a distribution, in milliseconds.
type Times struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min_ms"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

func times(t timing) Times {
	n := t.h.TotalCount()
	if n == 0 {
		return Times{}
	}
	return Times{
		Count: n, Min: ms(time.Duration(t.h.Min() * shortest)), Mean: round(t.h.Mean() * float64(shortest) / 1e6),
		P50: ms(t.quantile(50)), P90: ms(t.quantile(90)), P95: ms(t.quantile(95)), P99: ms(t.quantile(99)),
		P999: ms(t.quantile(99.9)), Max: ms(t.quantile(100)),
	}
}

// Bucket is how many echoes took from From to To milliseconds.
type Bucket struct {
	From  float64 `json:"from_ms"`
	To    float64 `json:"to_ms"`
	Count int64   `json:"count"`
}

// Point is a percentile of the round trip.
type Point struct {
	Percent float64 `json:"percent"`
	MS      float64 `json:"ms"`
}

// buckets divides a distribution evenly on a logarithmic scale, 12 to a factor of ten.
func buckets(t timing) []Bucket {
	var all []Bucket
	edge, next := int64(0), 0
	edges := bucketEdges()
	for _, bar := range t.h.Distribution() {
		for bar.Count > 0 && next < len(edges) && bar.From >= edges[next] {
			edge = edges[next]
			next++
		}
		if bar.Count == 0 {
			continue
		}
		to := longest / shortest
		if next < len(edges) {
			to = edges[next]
		}
		from := ms(time.Duration(edge * shortest))
		if n := len(all); n > 0 && all[n-1].From == from {
			all[n-1].Count += bar.Count
			continue
		}
		all = append(all, Bucket{from, ms(time.Duration(to * shortest)), bar.Count})
	}
	return all
}

// bucketEdges are in the histogram's units, from 10 µs on.
func bucketEdges() []int64 {
	steps := []int64{10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82} // the E12 series
	var edges []int64
	for factor := int64(1); factor*10 < longest/shortest; factor *= 10 {
		for _, s := range steps {
			edges = append(edges, s*factor)
		}
	}
	return edges
}

func newReport(r *run, m *meter) *Report {
	w := whole(r.tallies)
	e := r.events.read()
	rep := &Report{
		Tool: "aila load", Began: r.began, Settings: r.o.settings(),
		Frames: w.counts, Samples: w.counts.times(r.rec.samples), Events: e,
		Echo: times(w.echo), Ack: times(w.ack), Connect: times(r.events.connect), Resume: times(r.events.resume),
		Own: m.own(w.lag), Rows: m.rows, Histogram: buckets(w.echo), Warnings: []string{},
	}
	talked := r.talked()
	rep.Seconds = round((talked - r.o.Ramp).Seconds())
	rep.Stopped = talked < r.o.Ramp+r.o.Duration-50*time.Millisecond
	for _, q := range []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100} {
		if w.echo.h.TotalCount() > 0 {
			rep.Percents = append(rep.Percents, Point{q, ms(w.echo.quantile(q))})
		}
	}
	rep.warn(r)
	return rep
}

// times is the same counted in samples.
func (c Counts) times(n int64) Counts {
	return Counts{c.Sent * n, c.Heard * n, c.Lost * n, c.LostAcked * n, c.Announced * n, c.Doubled * n, c.Reordered * n, c.Differing * n, c.Refused * n}
}

// warn says what spoils the figures.
func (p *Report) warn(r *run) {
	say := func(format string, args ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...)) }
	own := max(p.Own.Lag.P99, p.Own.WaitP99)
	p.ownFault = p.Own.CPU > 0.9*float64(p.Own.Cores) || own > 2 && own > p.Echo.P99/3
	if busy := p.Own.CPU / float64(p.Own.Cores); busy > 0.9 {
		say("the generator and not the server is the bottleneck: it used %.2f of %d cores; give it more, or fewer clients", p.Own.CPU, p.Own.Cores)
	} else if p.ownFault {
		say("the generator is part of the latency: its own lag is %.1f ms (99th percentile) of %.1f ms; give it cores of its own", own, p.Echo.P99)
	}
	if p.Frames.Refused > 0 {
		say("%d frames were never sent: more than a minute of audio was not acknowledged", p.Frames.Refused)
	}
	if p.Events.CrashRefused > 0 {
		say("%d crashes were refused: does the server run with --fault-injection, and is the operator token right?", p.Events.CrashRefused)
	}
	if missing := int64(r.o.Clients) - p.Events.Started; missing > 0 {
		say("%d of %d clients never had a session", missing, r.o.Clients)
	}
	if n := openFiles(); n > 0 && n < uint64(r.o.Clients+r.o.Spike.Clients+32) {
		say("this process may open %d files only, fewer than it has clients: raise ulimit -n", n)
	}
}

// settings are what a reader needs to know of the options.
func (o Options) settings() []Setting {
	s := []Setting{
		{"url", o.URL}, {"clients", fmt.Sprint(o.Clients)}, {"duration", o.Duration.String()}, {"ramp", o.Ramp.String()},
		{"frame-ms", fmt.Sprint(o.Frame.Milliseconds())}, {"format", FormatText(o.Format)}, {"binary", fmt.Sprint(o.Binary)}, {"voice", o.Voice},
	}
	add := func(name string, given bool, value any) {
		if given {
			s = append(s, Setting{name, fmt.Sprint(value)})
		}
	}
	add("think", o.Turns.Talk > 0, o.Turns)
	add("churn", o.Churn > 0, o.Churn)
	add("cut-rate", o.CutRate > 0, o.CutRate)
	add("crash-rate", o.CrashRate > 0, o.CrashRate)
	add("spike", o.Spike.Clients > 0, o.Spike)
	add("seed", true, o.Seed)
	return s
}

// counted writes counts by name, the most first.
func counted(by map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		if by[a] != by[b] {
			return int(by[b] - by[a])
		}
		return strings.Compare(a, b)
	})
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", n, by[n])
	}
	return strings.Join(names, ", ")
}

// WriteJSON writes the report.
func (p *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(p)
}

// WriteCSV writes a row a second.
func (p *Report) WriteCSV(w io.Writer) error {
	var b strings.Builder
	b.WriteString("t_s,ramp,ending,sessions,joining,sent,heard,lost,announced_lost,doubled,out_of_order,differing,errors,refused,dropped,sockets_cut,sockets_lost,resumed,crashed,p50_ms,p90_ms,p99_ms,max_ms,ack_p99_ms,own_lag_p99_ms,own_cpu_cores\n")
	for _, r := range p.Rows {
		fmt.Fprintln(&b, strings.Trim(strings.ReplaceAll(fmt.Sprint([]any{
			r.T, r.Ramp, r.Ending, r.Sessions, r.Joining, r.Sent, r.Heard, r.Lost, r.Announced, r.Doubled, r.Reordered, r.Differing, r.Errors, r.Refused, r.Dropped,
			r.Cut, r.SockLost, r.Resumed, r.Crashed, r.P50, r.P90, r.P99, r.Max, r.AckP99, r.LagP99, r.CPU,
		}), " ", ","), "[]"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
