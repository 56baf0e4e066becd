package load

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestLineFits: a number that is cut off would be another number.
func TestLineFits(t *testing.T) {
	l := Live{Elapsed: 123 * time.Second, Total: 3600 * time.Second, Errors: 4321, Whole: Counts{Lost: 98765}}
	l.Sessions, l.Heard, l.P50, l.P99 = 10_000, 500_000, 12.34, 1234.5
	for _, cells := range []int{79, 100, 200} {
		line := l.Line(cells)
		if n := utf8.RuneCountInString(line); n > cells {
			t.Errorf("%d cells: got %d: %s", cells, n, line)
		}
		for _, part := range []string{"123/3600s", "p99 1234 ms", "lost 98765", "errors 4321"} {
			if !strings.Contains(line, part) {
				t.Errorf("%d cells: no %q in %s", cells, part, line)
			}
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1234: "-1 234", -123: "-123"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
