package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SLO is what a run must keep to: all of its clauses.
type SLO []clause

// clause is one of them, as in p99<50ms.
type clause struct {
	text   string
	metric string
	op     string
	value  float64 // milliseconds, a count, or per cent
	share  bool    // per cent
}

// Part is a clause and what became of it.
type Part struct {
	Text string `json:"text"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

// quantities are what can be asked of a distribution.
var quantities = map[string]func(Times) float64{
	"min": func(t Times) float64 { return t.Min }, "mean": func(t Times) float64 { return t.Mean },
	"p50": func(t Times) float64 { return t.P50 }, "p90": func(t Times) float64 { return t.P90 },
	"p95": func(t Times) float64 { return t.P95 }, "p99": func(t Times) float64 { return t.P99 },
	"p99.9": func(t Times) float64 { return t.P999 }, "max": func(t Times) float64 { return t.Max },
}

// distributions are what a quantity can be of; without a name it is the echo's.
var distributions = map[string]func(*Report) Times{
	"echo": func(p *Report) Times { return p.Echo }, "ack": func(p *Report) Times { return p.Ack },
	"connect": func(p *Report) Times { return p.Connect }, "resume": func(p *Report) Times { return p.Resume },
	"lag": func(p *Report) Times { return p.Own.Lag },
}

// counters are what can be counted, each with what it is a share of.
var counters = map[string]struct{ count, of func(*Report) int64 }{
	"lost":         {func(p *Report) int64 { return p.Frames.Lost }, sent},
	"announced":    {func(p *Report) int64 { return p.Frames.Announced }, sent},
	"doubled":      {func(p *Report) int64 { return p.Frames.Doubled }, sent},
	"out_of_order": {func(p *Report) int64 { return p.Frames.Reordered }, sent},
	"differing":    {func(p *Report) int64 { return p.Frames.Differing }, sent},
	"errors":       {func(p *Report) int64 { return p.Events.Sum() }, sent},
	"refused":      {func(p *Report) int64 { return p.Events.Refused }, calls},
	"dropped":      {func(p *Report) int64 { return p.Events.Dropped }, calls},
	"disagreeing":  {func(p *Report) int64 { return p.Events.Disagreeing }, calls},
}

func sent(p *Report) int64  { return p.Frames.Sent }
func calls(p *Report) int64 { return p.Events.Started + p.Events.Refused }

// ParseSLO reads clauses with commas between them, such as p99<50ms,lost=0,errors<0.1%.
func ParseSLO(text string) (SLO, error) {
	var all SLO
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		c, err := parseClause(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("want clauses such as p99<50ms,lost=0,errors<0.1%")
	}
	return all, nil
}

func parseClause(text string) (clause, error) {
	c := clause{text: text}
	i := strings.IndexAny(text, "<>=")
	if i < 0 {
		return c, fmt.Errorf("%s: want METRIC, one of < <= = >= >, and a bound", text)
	}
	c.metric, c.op = text[:i], text[i:i+1]
	bound := text[i+1:]
	if strings.HasPrefix(bound, "=") {
		c.op, bound = c.op+"=", bound[1:]
	}
	var err error
	if _, count := counters[c.metric]; count {
		digits, share := strings.CutSuffix(bound, "%")
		c.share = share
		c.value, err = strconv.ParseFloat(digits, 64)
		if err != nil || c.value < 0 {
			return c, fmt.Errorf("%s: want a count or a percentage after %s", text, c.op)
		}
		return c, nil
	}
	if _, ok := c.timed(&Report{}); !ok {
		return c, fmt.Errorf("%s: no metric %q: there are %s", text, c.metric, metricNames())
	}
	d, err := time.ParseDuration(bound)
	if err != nil || d < 0 {
		return c, fmt.Errorf("%s: want a duration after %s, such as 50ms", text, c.op)
	}
	c.value = float64(d) / 1e6
	return c, nil
}

func metricNames() string {
	var names []string
	for n := range counters {
		names = append(names, n)
	}
	slices.Sort(names)
	return "p50 p90 p95 p99 p99.9 max mean (of the echo, or with ack. connect. resume. lag. before it), " + strings.Join(names, " ")
}

// timed gives the time that the clause is about, in milliseconds.
func (c clause) timed(p *Report) (float64, bool) {
	of, name := "echo", c.metric
	if a, b, ok := strings.Cut(c.metric, "."); ok && distributions[a] != nil {
		of, name = a, b
	}
	q, ok := quantities[name]
	if !ok {
		return 0, false
	}
	return q(distributions[of](p)), true
}

// Judge holds the report against the SLO, keeps the result in it, and tells whether all
// clauses are met. Where nothing was heard at all no time is.
func (s SLO) Judge(p *Report) bool {
	met := true
	p.SLO = nil
	for _, c := range s {
		part := Part{Text: c.text}
		got, ok := c.timed(p)
		if n, count := counters[c.metric]; count {
			got = float64(n.count(p))
			part.Got = strconv.FormatInt(n.count(p), 10)
			if c.share {
				got = 100 * got / float64(max(1, n.of(p)))
				part.Got = fmt.Sprintf("%.3g%%", got)
			}
			part.Met = c.holds(got)
		} else if ok {
			part.Got = fmt.Sprintf("%.3g ms", got)
			part.Met = c.holds(got) && p.Echo.Count > 0
		}
		met = met && part.Met
		p.SLO = append(p.SLO, part)
	}
	return met
}

func (c clause) holds(got float64) bool {
	switch c.op {
	case "<":
		return got < c.value
	case "<=":
		return got <= c.value
	case ">":
		return got > c.value
	case ">=":
		return got >= c.value
	}
	return got == c.value
}

// Failed names the clauses that a judged report does not meet.
func (p *Report) Failed() string {
	var parts []string
	for _, part := range p.SLO {
		if !part.Met {
			parts = append(parts, fmt.Sprintf("%s (was %s)", part.Text, part.Got))
		}
	}
	return strings.Join(parts, ", ")
}
