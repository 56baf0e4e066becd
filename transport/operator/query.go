package operator

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aila/proto"
)

// states are what a session can be in, as the filter and the metrics name them.
var states = []proto.State{
	proto.Listening, proto.Thinking, proto.Speaking, proto.Paused, proto.VoiceReconnecting, proto.Draining, proto.Waiting,
}

// levels are those of the supervision log.
var levels = []string{"debug", "info", "warn", "error"}

const (
	defaultPage = 100
	maxPage     = 1000
	maxFilter   = 64 // characters of a filter
)

// filters reads a query and remembers the first thing wrong with it.
type filters struct {
	values url.Values
	err    *failure
}

// query starts reading; a parameter that no one asks for would select nothing in silence, so
// it is refused, and so is one given twice.
func query(u *url.URL, known ...string) *filters {
	f := &filters{}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		f.err = badFilter("the query is not well formed")
		return f
	}
	f.values = values
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(known, name):
			f.refuse("there is no filter of that name here; there are: " + strings.Join(known, ", "))
		case len(values[name]) > 1:
			f.refuse(name + " is given twice")
		case len(values[name][0]) > maxFilter:
			f.refuse(name + " is too long")
		}
	}
	return f
}

func (f *filters) refuse(message string) {
	if f.err == nil {
		f.err = badFilter(message)
	}
}

// problem is the first thing wrong; a plain nil when there is none.
func (f *filters) problem() error {
	if f.err == nil {
		return nil
	}
	return f.err
}

func (f *filters) text(name string) string { return f.values.Get(name) }

// number reads an integer from low to high; absent or empty is other.
func (f *filters) number(name string, low, high, other int64) int64 {
	s := f.values.Get(name)
	if s == "" {
		return other
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < low || n > high {
		f.refuse(fmt.Sprintf("%s is an integer from %d to %d", name, low, high))
		return other
	}
	return n
}

func (f *filters) limit() int { return int(f.number("limit", 1, maxPage, defaultPage)) }

// oneOf reads a word of a closed set; absent or empty does not select.
func (f *filters) oneOf(name string, set []string) string {
	s := f.values.Get(name)
	if s != "" && !slices.Contains(set, s) {
		f.refuse(name + " is one of " + strings.Join(set, ", "))
	}
	return s
}

func (f *filters) flag(name string) bool { return f.oneOf(name, []string{"true", "false"}) == "true" }

// words spells a set of named strings.
func words[T ~string](set []T) []string {
	out := make([]string, len(set))
	for i, v := range set {
		out[i] = string(v)
	}
	return out
}
