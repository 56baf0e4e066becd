package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// floor is the level, in decibels of full scale, at which a meter shows nothing.
const floor = -60.0

// meter shows how loud one direction is. The zero meter is silent. It needs a lock of its
// owner where several goroutines use it.
type meter struct {
	sum   float64 // of squares since the last reading
	n     int
	shown float64 // decibels above floor
}

// hear takes samples of 16 bits, little-endian.
func (m *meter) hear(pcm []byte) {
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		x := float64(int16(binary.LittleEndian.Uint16(pcm))) / 32768
		m.sum += x * x
		m.n++
	}
}

// fall is how many decibels a meter loses from one reading to the next at most, so that eyes
// can follow.
const fall = 6.0

// read gives the level since the last reading, in decibels of full scale, at least floor.
func (m *meter) read() float64 {
	level := 0.0
	if m.n > 0 && m.sum > 0 {
		level = max(0, 10*math.Log10(m.sum/float64(m.n))-floor)
	}
	m.sum, m.n = 0, 0
	m.shown = max(level, m.shown-fall, 0)
	return m.shown + floor
}

// eighths are the last cell of a bar.
var eighths = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar draws a level over so many cells.
func bar(level float64, cells int) string {
	n := int(math.Round((level - floor) / -floor * float64(8*cells)))
	n = max(0, min(n, 8*cells))
	drawn := strings.Repeat("█", n/8) + eighths[n%8]
	return drawn + strings.Repeat(" ", cells-(n+7)/8)
}

// screen shows a block of lines that changes in place, with lines that stay above it. Where
// it is not live, nothing can change in place, and all lines stay.
type screen struct {
	w     io.Writer
	live  bool
	lines int // of the block that is shown
}

// stay writes a line that stays.
func (s *screen) stay(format string, args ...any) {
	s.erase()
	fmt.Fprintf(s.w, format+"\n", args...)
}

// show replaces the block.
func (s *screen) show(lines ...string) {
	s.erase()
	// Lines too long for the terminal are cut there, since a line that wraps is two to erase.
	fmt.Fprint(s.w, "\x1b[?7l"+strings.Join(lines, "\n")+"\n\x1b[?7h")
	s.lines = len(lines)
}

// erase takes the block away, so that what follows is written over it.
func (s *screen) erase() {
	if s.live && s.lines > 0 {
		fmt.Fprintf(s.w, "\x1b[%dA\x1b[J", s.lines)
	}
	s.lines = 0
}
