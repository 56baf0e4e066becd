package load

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// WriteTable writes the report for a person at a terminal.
func (p *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	p.head(&b)
	p.latencies(&b)
	p.books(&b)
	for _, line := range p.Warnings {
		fmt.Fprintf(&b, "\nwarning: %s", line)
	}
	if len(p.Warnings) > 0 {
		b.WriteString("\n")
	}
	p.trials(&b)
	p.verdict(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Report) head(b *strings.Builder) {
	rate := 0.0
	if p.Echo.Count > 0 && p.Seconds > 0 {
		rate = float64(p.Echo.Count) / p.Seconds
	}
	stopped := ""
	if p.Stopped {
		stopped = " (stopped early)"
	}
	fmt.Fprintf(b, "\n%s  %s clients  %.1f s%s  %s frames/s echoed\n\n", p.setting("url"), p.setting("clients"), p.Seconds, stopped, thousands(int64(rate)))
}

func (p *Report) setting(name string) string {
	for _, s := range p.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

func (p *Report) latencies(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ms\tp50\tp90\tp95\tp99\tp99.9\tmax\tcount\t")
	for _, row := range []struct {
		name string
		t    Times
	}{{"round trip", p.Echo}, {"ack", p.Ack}, {"connect", p.Connect}, {"resume", p.Resume}, {"own lag", p.Own.Lag}} {
		if row.t.Count == 0 {
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.name, digits(row.t.P50), digits(row.t.P90), digits(row.t.P95),
			digits(row.t.P99), digits(row.t.P999), digits(row.t.Max), thousands(row.t.Count))
	}
	t.Flush() // into a Builder: no error
}

// digits writes milliseconds with as many digits as one can read.
func digits(x float64) string {
	switch {
	case x >= 1000:
		return fmt.Sprintf("%.0f", x)
	case x >= 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func (p *Report) books(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\n\tsent\theard\tlost\tannounced lost\tdoubled\tout of order\tdiffering\t")
	for _, row := range []struct {
		name string
		c    Counts
	}{{"frames", p.Frames}, {"samples", p.Samples}} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.name, thousands(row.c.Sent), thousands(row.c.Heard), thousands(row.c.Lost),
			thousands(row.c.Announced), thousands(row.c.Doubled), thousands(row.c.Reordered), thousands(row.c.Differing))
	}
	t.Flush()
	e := p.Events
	fmt.Fprintf(b, "\nsessions  %s started, %s refused, %s left, %s dropped", thousands(e.Started), thousands(e.Refused), thousands(e.Left), thousands(e.Dropped))
	if e.Cut+e.Lost+e.Resumed > 0 {
		fmt.Fprintf(b, "; sockets %s cut, %s lost, %s resumed", thousands(e.Cut), thousands(e.Lost), thousands(e.Resumed))
	}
	if e.Crashed > 0 {
		fmt.Fprintf(b, "; %s actors crashed", thousands(e.Crashed))
	}
	if e.Disagreeing > 0 {
		fmt.Fprintf(b, "; %s ended with another count of samples than ours", thousands(e.Disagreeing))
	}
	fmt.Fprintf(b, "\n  errors  %s", cmp.Or(counted(e.Errors), "none"))
	if p.Frames.LostAcked > 0 {
		fmt.Fprintf(b, "\n    lost  %s of them acknowledged by the server", thousands(p.Frames.LostAcked))
	}
	fmt.Fprintf(b, "\n  closes  %s", cmp.Or(counted(e.Closes), "none"))
	fmt.Fprintf(b, "\n     own  %.2f of %d cores; waited %.2f ms for one (p99)\n", p.Own.CPU, p.Own.Cores, p.Own.WaitP99)
}

func (p *Report) trials(b *strings.Builder) {
	if len(p.Trials) == 0 {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\nclients\tp99 ms\tlost\t\t")
	for _, trial := range p.Trials {
		verdict := "met"
		if !trial.Met {
			verdict = trial.Failed
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t\n", thousands(int64(trial.Clients)), digits(trial.P99), trial.Lost, verdict)
	}
	t.Flush()
	fmt.Fprintf(b, "\ncapacity  %s clients\n", thousands(int64(p.Capacity)))
}

func (p *Report) verdict(b *strings.Builder) {
	if len(p.SLO) == 0 {
		return
	}
	b.WriteString("\n")
	for _, part := range p.SLO {
		mark := "met    "
		if !part.Met {
			mark = "NOT MET"
		}
		fmt.Fprintf(b, "%s  %-18s was %s\n", mark, part.Text, part.Got)
	}
}

// thousands writes a number with a space before each three digits.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// Line is the state of a run in one line of at most so many cells: what does not fit is left
// out, the least telling first.
func (l Live) Line(cells int) string {
	const width = 10
	part := min(1, max(0, float64(l.Elapsed)/float64(l.Total)))
	full := int(part * width)
	rate := fmt.Sprintf("%d/s", l.Heard)
	if l.Heard >= 10_000 {
		rate = fmt.Sprintf("%.1fk/s", float64(l.Heard)/1000)
	}
	parts := []string{
		strings.Repeat("━", full) + strings.Repeat("╌", width-full) + fmt.Sprintf(" %.0f/%.0fs", l.Elapsed.Seconds(), l.Total.Seconds()),
		fmt.Sprintf("%d sessions", l.Sessions), rate, "p50 " + digits(l.P50), "p99 " + digits(l.P99) + " ms",
		fmt.Sprintf("lost %d", l.Whole.Lost), fmt.Sprintf("errors %d", l.Errors),
	}
	for _, drop := range []int{3, 2, 1} {
		if utf8.RuneCountInString(strings.Join(parts, "  ")) > cells {
			parts = slices.Delete(parts, drop, drop+1)
		}
	}
	return strings.Join(parts, "  ")
}
