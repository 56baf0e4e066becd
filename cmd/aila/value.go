package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value reads and shows one knob. It is a pflag.Value, so that a flag, an environment
// variable and a line of the file are read by the same code.
type value interface {
	String() string
	Set(string) error
	Type() string
	// Get is the value as YAML has it: a bool, int, float64, string or []string.
	Get() any
}

// typed is a value that parse reads into the variable at p. Errors of parse say what is
// wanted, as in "want a number".
type typed[T any] struct {
	p     *T
	kind  string
	parse func(string) (T, error)
	show  func(T) any
}

func (v typed[T]) Type() string   { return v.kind }
func (v typed[T]) Get() any       { return v.show(*v.p) }
func (v typed[T]) String() string { return show(v.Get()) }

func (v typed[T]) Set(s string) error {
	t, err := v.parse(strings.TrimSpace(s))
	if err != nil {
		return err
	}
	*v.p = t
	return nil
}

func same[T any](t T) any { return t }

// show is how a value is written where flags are.
func show(v any) string {
	if list, ok := v.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v)
}

// text is a string that ok finds nothing wrong with.
func text(p *string, ok func(string) error) value {
	return typed[string]{p, "string", func(s string) (string, error) { return s, ok(s) }, same[string]}
}

// list is strings separated by commas, each as ok wants it.
func list(p *[]string, ok func(string) error) value {
	parse := func(s string) ([]string, error) {
		var all []string
		for part := range strings.SplitSeq(s, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			if err := ok(part); err != nil {
				return nil, err
			}
			all = append(all, part)
		}
		return all, nil
	}
	return typed[[]string]{p, "strings", parse, same[[]string]}
}

func toggle(p *bool) value {
	parse := func(s string) (bool, error) {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return false, errors.New("want true or false")
		}
		return b, nil
	}
	return typed[bool]{p, "bool", parse, same[bool]}
}

func whole(p *int, least, most int) value {
	parse := func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		return n, nil
	}
	return typed[int]{p, "number", parse, same[int]}
}

func number(p *float64, least, most float64) value {
	parse := func(s string) (float64, error) {
		x, err := strconv.ParseFloat(s, 64)
		// NaN is neither: it must not pass.
		if err != nil || !(x >= least && x <= most) {
			return 0, fmt.Errorf("want a number from %g to %g", least, most)
		}
		return x, nil
	}
	return typed[float64]{p, "number", parse, same[float64]}
}

// span is a duration with its unit.
func span(p *time.Duration, least, most time.Duration) value {
	parse := func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("want a duration from %s to %s, such as 90s, 2m or 1h30m", brief(least), brief(most))
		}
		return d, nil
	}
	return typed[time.Duration]{p, "duration", parse, func(d time.Duration) any { return brief(d) }}
}

// brief drops the zeros that time.Duration writes: 2m, not 2m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// units of a size, the longest spelling of each first.
var units = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"k", 1 << 10}, {"B", 1},
}

// size is a number of bytes with an optional unit; k and M are those of KiB and MiB.
func size(p *int64, least, most int64) value {
	parse := func(s string) (int64, error) {
		wrong := fmt.Errorf("want a size from %s to %s, such as 64k, 256KiB or 1M", inUnits(least), inUnits(most))
		digits, unit := s, int64(1)
		for _, u := range units {
			if rest, ok := strings.CutSuffix(s, u.name); ok {
				digits, unit = strings.TrimSpace(rest), u.bytes
				break
			}
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > most/unit || n*unit < least {
			return 0, wrong
		}
		return n * unit, nil
	}
	return typed[int64]{p, "size", parse, func(n int64) any { return inUnits(n) }}
}

// inUnits writes a size in the largest unit that divides it.
func inUnits(n int64) string {
	for _, u := range units[:3] {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func anyText(string) error { return nil }

func oneOf(names ...string) func(string) error {
	return func(s string) error {
		if slices.Contains(names, s) {
			return nil
		}
		return fmt.Errorf("want %s", strings.Join(names, " or "))
	}
}

func address(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("want host:port, such as 127.0.0.1:3001")
	}
	return nil
}

// origin is what a browser writes into the header of that name: no path, no wildcard.
func origin(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || strings.ContainsRune(u.Host, '*') || u.Scheme+"://"+u.Host != s {
		return errors.New("want scheme://host or scheme://host:port, such as https://app.example.com")
	}
	return nil
}
