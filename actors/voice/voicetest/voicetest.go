// Package voicetest is the conformance suite of the voice contract: every backend passes it
// unchanged.
package voicetest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"aila/actors/voice"
)

// Backend is what the suite must know of the voice that it tests.
type Backend struct {
	// Voice is the backend, its far side reachable.
	Voice voice.Voice
	// Setup is the audio that it is tested with. The zero Setup means pcm16 at 24000, mono.
	Setup voice.Setup
}

// patience bounds how long an answer may take.
const patience = 10 * time.Second

// Run holds a backend to the contract.
func Run(t *testing.T, b Backend) {
	if b.Setup.Encoding == "" {
		b.Setup = voice.Setup{Session: "suite", Encoding: "pcm16", SampleRate: 24000, Channels: 1}
	}
	for name, test := range map[string]func(*testing.T, *stage){
		"data may be reused after Write":        reuse,
		"items are named and end":               items,
		"silence is heard":                      silence,
		"an unknown item is not interrupted":    stranger,
		"End is answered by Finished, the last": finish,
		"nothing follows Close":                 closed,
		"Played is harmless":                    played,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, b)) })
	}
}

// stage is one stream and what it says.
type stage struct {
	t      *testing.T
	stream voice.Stream
	setup  voice.Setup
	once   sync.Once

	mu     sync.Mutex
	said   []any // voice.Audio, its data copied, or voice.Event; guarded by mu
	shut   bool  // guarded by mu
	late   int   // said after Close; guarded by mu
	inside int   // calls of Audio and Say under way; guarded by mu
	moved  chan struct{}
}

func open(t *testing.T, b Backend) *stage {
	t.Helper()
	s := &stage{t: t, setup: b.Setup, moved: make(chan struct{}, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := b.Voice.Open(ctx, b.Setup, s)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	s.stream = stream
	t.Cleanup(s.close)
	return s
}

func (s *stage) close() {
	s.once.Do(func() {
		s.stream.Close()
		s.mu.Lock()
		s.shut = true
		s.mu.Unlock()
	})
}

// Audio implements voice.Answer.
func (s *stage) Audio(a voice.Audio) {
	if a.Item == "" {
		s.t.Error("audio without an item")
	}
	if len(a.Data) == 0 || a.Samples <= 0 {
		s.t.Errorf("%d bytes and %d samples of audio", len(a.Data), a.Samples)
	}
	a.Data = bytes.Clone(a.Data)
	s.add(a)
}

// Say implements voice.Answer.
func (s *stage) Say(e voice.Event) { s.add(e) }

// Room implements voice.Answer.
func (s *stage) Room(ctx context.Context) error { return ctx.Err() }

func (s *stage) add(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inside++; s.inside > 1 {
		s.t.Error("two answers at once")
	}
	if s.shut {
		s.late++
	}
	s.said = append(s.said, v)
	s.inside--
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

// until waits until an answer satisfies want, and gives all answers.
func (s *stage) until(what string, want func(any) bool) []any {
	s.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		s.mu.Lock()
		said := append([]any(nil), s.said...)
		s.mu.Unlock()
		for _, v := range said {
			if want(v) {
				return said
			}
		}
		select {
		case <-s.moved:
		case <-late.C:
			s.t.Fatalf("no %s within %v", what, patience)
		}
	}
}

// speak says so many chunks of 20 ms, all from one buffer.
func (s *stage) speak(chunks int) {
	s.t.Helper()
	samples := s.setup.SampleRate / 50
	data := make([]byte, samples*2*s.setup.Channels)
	for i := range chunks {
		for j := range data {
			data[j] = byte(i + 1)
		}
		if err := s.stream.Write(voice.Chunk{Data: data, Samples: int64(samples), Seq: int64(i + 1)}, s); err != nil {
			s.t.Fatalf("Write: %v", err)
		}
		clear(data)
	}
}

func (s *stage) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

func isFinished(v any) bool { _, ok := v.(voice.Finished); return ok }
func isAudio(v any) bool    { _, ok := v.(voice.Audio); return ok }

func reuse(t *testing.T, s *stage) {
	s.speak(50)
	s.must("Commit", s.stream.Commit())
	for _, v := range s.until("audio", isAudio) {
		if a, ok := v.(voice.Audio); ok && a.Re != 0 && a.Data[0] != byte(a.Re) {
			t.Fatalf("the echo of %d holds %d: the chunk's memory was kept", a.Re, a.Data[0])
		}
	}
}

func items(t *testing.T, s *stage) {
	s.speak(50)
	s.must("Commit", s.stream.Commit())
	said := s.until("end of an item", func(v any) bool { _, ok := v.(voice.ItemEnd); return ok })
	open := ""
	for _, v := range said {
		switch v := v.(type) {
		case voice.Audio:
			if open != "" && open != v.Item {
				t.Errorf("item %q began while %q was open", v.Item, open)
			}
			open = v.Item
		case voice.ItemEnd:
			if v.Item != open {
				t.Errorf("%q ended while %q was open", v.Item, open)
			}
			open = ""
		}
	}
}

func silence(_ *testing.T, s *stage) {
	s.must("Silence", s.stream.Silence(24000))
	s.speak(5)
	s.must("Text", s.stream.Text("hello"))
	s.must("Pause", s.stream.Pause())
}

func stranger(t *testing.T, s *stage) {
	s.speak(50)
	s.must("Interrupt", s.stream.Interrupt("no such item", -1))
	s.must("Interrupt", s.stream.Interrupt("no such item", time.Second))
	s.must("End", s.stream.End())
	for _, v := range s.until("Finished", isFinished) {
		if i, ok := v.(voice.Interrupted); ok && i.Item == "no such item" {
			t.Error("an unknown item was interrupted")
		}
	}
}

func finish(t *testing.T, s *stage) {
	s.speak(20)
	s.must("End", s.stream.End())
	said := s.until("Finished", isFinished)
	if !isFinished(said[len(said)-1]) {
		t.Errorf("%T after Finished", said[len(said)-1])
	}
}

func closed(t *testing.T, s *stage) {
	s.speak(20)
	s.must("Commit", s.stream.Commit())
	s.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late != 0 {
		t.Errorf("%d answers after Close", s.late)
	}
}

func played(_ *testing.T, s *stage) {
	s.stream.Played("no such item", time.Second, "playing")
	s.speak(5)
	s.stream.Played("no such item", 0, "cleared")
}
