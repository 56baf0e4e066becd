package main

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"aila/proto"
)

// tailLevels are those of the log, the least first.
var tailLevels = []string{"debug", "info", "warn", "error"}

// tailFilter selects events. Empty fields do not select.
type tailFilter struct {
	session string // how the id begins or ends
	actor   string
	level   string // the least
	events  []string
}

func (f tailFilter) selects(e proto.Event) bool {
	session, part := strings.ToUpper(e.Session), strings.ToUpper(f.session)
	return (part == "" || strings.HasPrefix(session, part) || strings.HasSuffix(session, part)) &&
		(f.actor == "" || f.actor == e.Actor) &&
		(f.level == "" || slices.Index(tailLevels, e.Level) >= slices.Index(tailLevels, f.level)) &&
		(len(f.events) == 0 || slices.Contains(f.events, e.Event))
}

// paint colours words for a terminal; the zero paint leaves them as they are.
type paint bool

// paintFor decides as --color says.
func paintFor(color string, out io.Writer) paint {
	switch color {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	return paint(terminal(out) && os.Getenv("NO_COLOR") == "")
}

// The colours of a terminal that hold on a dark and on a light ground.
const (
	dim     = "2"
	bold    = "1"
	red     = "1;31"
	green   = "32"
	yellow  = "33"
	magenta = "35"
	cyan    = "36"
)

func (p paint) as(color, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// tailPrinter prints events. It belongs to one goroutine.
type tailPrinter struct {
	o       tailOptions
	out     *bufio.Writer
	paint   paint
	printed int
}

// print prints an event that the filter selects; raw is how it came. It returns errEnough
// after the last that was asked for.
func (p *tailPrinter) print(e proto.Event, raw []byte) error {
	if !p.o.filter.selects(e) {
		return nil
	}
	var err error
	if p.o.json {
		_, err = fmt.Fprintf(p.out, "%s\n", raw)
	} else {
		_, err = p.out.WriteString(p.line(e))
	}
	if err != nil {
		return err
	}
	p.printed++
	if p.printed == p.o.count {
		return errEnough
	}
	return nil
}

// line writes an event for people: when, how grave, what, whose, and whatever else is said.
func (p *tailPrinter) line(e proto.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s %s ",
		p.paint.as(dim, e.Time.Local().Format("15:04:05.000")),
		p.paint.as(levelColor(e.Level), fmt.Sprintf("%-5s", plainText(e.Level))),
		p.paint.as(eventColor(e), fmt.Sprintf("%-21s", plainText(e.Event))),
		p.paint.as(sessionColor(e.Session), fmt.Sprintf("%-9s", shortID(plainText(e.Session)))),
		fmt.Sprintf("%-7s", plainText(e.Actor)))
	b.WriteString(p.details(e))
	line := strings.TrimRight(b.String(), " ") + "\n"
	if e.Stack != "" {
		line += p.stack(e.Stack)
	}
	return line
}

// details are an event's other fields, those that it has.
func (p *tailPrinter) details(e proto.Event) string {
	var parts []string
	add := func(name, value string) {
		if value != "" && value != "0" {
			parts = append(parts, p.paint.as(dim, name+"=")+plainText(value))
		}
	}
	add("reason", e.Reason)
	add("err", e.Err)
	add("code", fmt.Sprint(e.Code))
	add("seq", fmt.Sprint(e.Seq))
	add("restarts", fmt.Sprint(e.Restarts))
	add("voice", e.Voice)
	add("bytes", fmt.Sprint(e.Bytes))
	add("count", fmt.Sprint(e.Count))
	add("took_ms", fmt.Sprint(e.TookMS))
	return strings.Join(parts, " ")
}

// topOfStack is how many lines of a stack say where it was, as a rule.
const topOfStack = 8

// stack writes a failure's stack below its event.
func (p *tailPrinter) stack(stack string) string {
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	if !p.o.stack {
		lines = whereItWas(lines)
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(p.paint.as(dim, "    "+plainText(strings.ReplaceAll(l, "\t", "  "))) + "\n")
	}
	return b.String()
}

// whereItWas is the part of a stack that tells where it was: what follows the panic, for what
// comes before it is how the panic was caught.
func whereItWas(lines []string) []string {
	for i, l := range slices.Backward(lines) {
		if strings.HasPrefix(l, "panic(") && i+2 < len(lines) {
			lines = lines[i+2:]
			break
		}
	}
	if more := len(lines) - topOfStack; more > 0 {
		return append(lines[:topOfStack:topOfStack], fmt.Sprintf("… and %d more (--stack shows all)", more))
	}
	return lines
}

func levelColor(level string) string {
	switch level {
	case "warn":
		return yellow
	case "error":
		return red
	}
	return dim
}

func eventColor(e proto.Event) string {
	switch e.Event {
	case proto.EvSessionStarted, proto.EvSessionResumed, proto.EvActorRestarted, proto.EvVoiceRestored:
		return green
	case proto.EvActorFailed, proto.EvSupervisionExhausted, proto.EvVoiceLost, proto.EvTokenReused, proto.EvCrisis:
		return red
	case proto.EvDrainStarted, proto.EvDrainDone:
		return magenta
	}
	return bold
}

// sessionColor is the same for the same session, so that the eye can follow one.
func sessionColor(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	colors := []string{cyan, magenta, "34", "36;1", "35;1", "34;1"}
	return colors[int(h.Sum32())%len(colors)]
}

// shortID is the end of an id: the part in which two of them differ.
func shortID(id string) string {
	if len(id) <= 12 {
		return id
	}
	return "…" + id[len(id)-8:]
}

// plainText takes from words what would steer a terminal.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return '\uFFFD'
		}
		return r
	}, s)
}
