package load

import (
	"testing"
	"time"

	"aila/proto"
)

// TestFramesAreDistinctAndWhole: an echo must tell which frame it is of, in every format, even
// where the recording is silent.
func TestFramesAreDistinctAndWhole(t *testing.T) {
	silence := make([]byte, 2*24000)
	for _, text := range []string{"pcm16", "pcm16/8000", "pcm16/44100/2", "pcmu", "pcma", "opus", "opus/48000/2"} {
		f, err := ParseFormat(text)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := record(Options{Audio: silence, Source: proto.DefaultFormat, Format: f, Frame: 20 * time.Millisecond})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if len(rec.frames) < 49 || len(rec.index) != len(rec.frames) {
			t.Errorf("%s: %d frames of which %d are distinct, want about 50 or more", text, len(rec.frames), len(rec.index))
		}
		for i, frame := range rec.frames {
			if n, err := f.Samples(frame); err != nil || n != rec.samples {
				t.Errorf("%s: frame %d has %d samples (%v), want %d", text, i, n, err, rec.samples)
			}
			if at, ok := rec.find(frame); !ok || int(at) != i {
				t.Errorf("%s: frame %d is found at %d", text, i, at)
			}
		}
	}
}

// TestG711 holds the two laws against values of ITU-T G.711.
func TestG711(t *testing.T) {
	for _, row := range []struct {
		sample int16
		mu, a  byte
	}{
		{0, 0xFF, 0xD5}, {32767, 0x80, 0xAA}, {-32768, 0x00, 0x2A}, {1000, 0xCE, 0xFA}, {-1000, 0x4E, 0x7A},
	} {
		if mu, a := muLaw(row.sample), aLaw(row.sample); mu != row.mu || a != row.a {
			t.Errorf("%d: got %#x and %#x, want %#x and %#x", row.sample, mu, a, row.mu, row.a)
		}
	}
}

func TestConvertKeepsTheSound(t *testing.T) {
	mono := make([]int16, 240)
	for i := range mono {
		mono[i] = int16(100 * i)
	}
	from := proto.Format{Encoding: "pcm16", SampleRate: 24000, Channels: 1}
	to := proto.Format{Encoding: "pcm16", SampleRate: 48000, Channels: 2}
	out := convert(mono, from, to)
	if len(out) != 960 || out[0] != 0 || out[1] != 0 || out[2] != 50 || out[4] != 100 || out[401] != 10_000 {
		t.Errorf("got %d samples, %v", len(out), out[:8])
	}
	back := convert(out, to, from)
	for i := range mono[:239] {
		if back[i] != mono[i] {
			t.Fatalf("sample %d: got %d, want %d", i, back[i], mono[i])
		}
	}
}
