package proto

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSupportedIsTheTableOfFormats(t *testing.T) {
	supported := map[Format]bool{}
	for _, rate := range []int{8000, 16000, 24000, 44100, 48000} {
		supported[Format{"pcm16", rate, 1}], supported[Format{"pcm16", rate, 2}] = true, true
	}
	supported[Format{"pcmu", 8000, 1}], supported[Format{"pcma", 8000, 1}] = true, true
	supported[Format{"opus", 48000, 1}], supported[Format{"opus", 48000, 2}] = true, true
	for _, encoding := range []string{"pcm16", "pcmu", "pcma", "opus", "PCM16", "mp3", ""} {
		for _, rate := range []int{-1, 0, 8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000} {
			for channels := -1; channels <= 3; channels++ {
				f := Format{encoding, rate, channels}
				if got := f.Supported(); got != supported[f] {
					t.Errorf("%v supported: got %v, want %v", f, got, supported[f])
				}
			}
		}
	}
	if !DefaultFormat.Supported() {
		t.Error("the default is not supported")
	}
}

func TestSamplesCountsWholeSamples(t *testing.T) {
	pcm, stereo, cd := Format{"pcm16", 24000, 1}, Format{"pcm16", 48000, 2}, Format{"pcm16", 44100, 1}
	ulaw, opus := Format{"pcmu", 8000, 1}, Format{"opus", 48000, 2}
	for _, c := range []struct {
		f    Format
		p    []byte
		want int64
		err  string
	}{
		{pcm, make([]byte, 960), 480, ""},
		{pcm, make([]byte, 480), 240, ""},
		{pcm, make([]byte, 478), 0, "shorter than 10 ms"},
		{pcm, make([]byte, 48000), 24000, ""},
		{pcm, make([]byte, 48002), 0, "longer than 1000 ms"},
		{pcm, make([]byte, 961), 0, "not whole samples"},
		{pcm, nil, 0, "no audio"},
		{stereo, make([]byte, 3840), 960, ""},
		{stereo, make([]byte, 3842), 0, "not whole samples"},
		{cd, make([]byte, 882), 441, ""},
		{cd, make([]byte, 880), 0, "shorter than 10 ms"},
		{cd, make([]byte, 88200), 44100, ""},
		{ulaw, make([]byte, 80), 80, ""},
		{ulaw, make([]byte, 79), 0, "shorter than 10 ms"},
		{ulaw, make([]byte, 8001), 0, "longer than 1000 ms"},
		{ulaw, nil, 0, "no audio"},
		{opus, nil, 0, "no audio"},
		// One packet of each configuration, from RFC 6716, table 2.
		{opus, []byte{0 << 3}, 480, ""},
		{opus, []byte{1 << 3}, 960, ""},
		{opus, []byte{2 << 3}, 1920, ""},
		{opus, []byte{3 << 3}, 2880, ""},
		{opus, []byte{11 << 3}, 2880, ""},
		{opus, []byte{12 << 3}, 480, ""},
		{opus, []byte{13 << 3}, 960, ""},
		{opus, []byte{14 << 3}, 480, ""},
		{opus, []byte{15 << 3}, 960, ""},
		{opus, []byte{16 << 3}, 0, "shorter than 10 ms"},
		{opus, []byte{17 << 3}, 0, "shorter than 10 ms"},
		{opus, []byte{18 << 3}, 480, ""},
		{opus, []byte{31 << 3}, 960, ""},
		{opus, []byte{31<<3 | 4}, 960, ""}, // the stereo bit changes nothing
		{opus, []byte{31<<3 | 1}, 1920, ""},
		{opus, []byte{31<<3 | 2}, 1920, ""},
		{opus, []byte{31<<3 | 3, 6}, 5760, ""},
		{opus, []byte{31<<3 | 3, 6 | 0xc0}, 5760, ""}, // with padding, variable sizes
		{opus, []byte{31<<3 | 3, 7}, 0, "over 120 ms"},
		{opus, []byte{31<<3 | 3, 0}, 0, "without frames"},
		{opus, []byte{31<<3 | 3}, 0, "without frames"},
		{opus, []byte{16<<3 | 3, 4}, 480, ""}, // four times 2.5 ms
		{opus, []byte{3<<3 | 3, 3}, 0, "over 120 ms"},
	} {
		got, err := c.f.Samples(c.p)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, %d bytes %.4x: got %d, %v; want %d, %q", c.f, len(c.p), c.p, got, err, c.want, c.err)
		}
	}
}

// A format that nobody checked must not bring the process down.
func TestSamplesOfNonsenseDoesNotPanic(t *testing.T) {
	for _, f := range []Format{{}, {Encoding: "pcm16"}, {"pcm16", -1, -1}, {"opus", 0, 0}, {"mp3", 44100, 2}} {
		for n := range 5 {
			if got, err := f.Samples(make([]byte, n)); err == nil {
				t.Errorf("%v: %d samples in %d bytes, want an error", f, got, n)
			}
		}
	}
}

func TestDurationIsExact(t *testing.T) {
	for _, c := range []struct {
		f    Format
		n    int64
		want time.Duration
	}{
		{Format{"pcm16", 44100, 1}, 441, 10 * time.Millisecond},
		{Format{"pcm16", 44100, 1}, 44100 * 3600 * 24 * 365, 365 * 24 * time.Hour},
		{Format{"pcm16", 24000, 1}, 480, 20 * time.Millisecond},
		{Format{}, 480, 0},
	} {
		if got := c.f.Duration(c.n); got != c.want {
			t.Errorf("%v, %d samples: got %v, want %v", c.f, c.n, got, c.want)
		}
	}
}

func TestNearestFindsTheNumberAroundTheNextOne(t *testing.T) {
	const wrap = int64(1) << 32
	for _, c := range []struct {
		low        uint32
		next, want int64
	}{
		{1, 1, 1},
		{7, 5, 7},
		{3, 5, 3},
		{0, wrap, wrap},
		{1, wrap - 1, wrap + 1},
		{1<<32 - 1, wrap + 1, wrap - 1},
		{5, 7*wrap + 4, 7*wrap + 5},
		{1<<31 - 1, wrap, wrap + 1<<31 - 1},
		{1 << 31, wrap, wrap - 1<<31},
		{1<<32 - 1, MaxSeq, MaxSeq},
	} {
		if got := Nearest(c.low, c.next); got != c.want {
			t.Errorf("Nearest(%d, %d) = %d, want %d", c.low, c.next, got, c.want)
		}
	}
}

func TestPatienceEndsWithTheTwentyFirstErrorInTenSeconds(t *testing.T) {
	start := time.Unix(1000, 0)
	spend := func(p *Patience, n int, c Code, now time.Time) (over bool) {
		for range n {
			over = p.Spend(c, now)
		}
		return over
	}
	t.Run("at once", func(t *testing.T) {
		var p Patience
		if spend(&p, 20, BadJSON, start) {
			t.Error("over after 20")
		}
		if !p.Spend(BadAudio, start) {
			t.Error("not over after 21")
		}
	})
	t.Run("the window slides", func(t *testing.T) {
		var p Patience
		if spend(&p, 1, BadJSON, start) || spend(&p, 19, BadJSON, start.Add(9*time.Second)) {
			t.Error("over after 20")
		}
		if p.Spend(BadJSON, start.Add(10*time.Second+1)) {
			t.Error("the first error is older than 10 s and still counts")
		}
		if !p.Spend(BadJSON, start.Add(11*time.Second)) {
			t.Error("21 errors within 2 s, and not over")
		}
	})
	t.Run("slow errors are forgiven for ever", func(t *testing.T) {
		var p Patience
		for n := range 1000 {
			if p.Spend(BadField, start.Add(time.Duration(n)*510*time.Millisecond)) {
				t.Fatalf("over after %d", n)
			}
		}
	})
	t.Run("some are free", func(t *testing.T) {
		var p Patience
		for _, c := range []Code{ActorRestarted, VoiceUnavailable, RateLimited} {
			if spend(&p, 100, c, start) {
				t.Errorf("%s is counted", c)
			}
		}
	})
}

func TestCloses(t *testing.T) {
	for c, want := range map[Code]int{UnsupportedAudio: 1008, UnknownVoice: 1008, ResumeRefused: 4503, ReplayGone: 4503, Overloaded: 1013, Internal: 1011, BadJSON: 0, ActorRestarted: 0} {
		if got := c.Close().Code; got != want {
			t.Errorf("%s closes with %d, want %d", c, got, want)
		}
	}
	for r, want := range map[EndReason]int{EndClient: 1000, EndIdle: 1000, EndOperator: 4500, EndMaxDuration: 4505, EndFailed: 1011, EndShutdown: 1012} {
		if got := r.Close().Code; got != want {
			t.Errorf("%s closes with %d, want %d", r, got, want)
		}
	}
	for code, want := range map[int]bool{0: true, 1001: true, 1006: true, 1012: true, 4001: true, 4499: true, 1000: false, 1002: false, 1008: false, 1011: false, 4500: false, 4507: false} {
		if got := Resumable(code); got != want {
			t.Errorf("resumable after %d: got %v, want %v", code, got, want)
		}
	}
}

func TestReleaseForgetsLongFrames(t *testing.T) {
	a := &AudioIn{Head: Head{Seq: 1, ID: "x"}, Data: bytes.Repeat([]byte{1}, 65<<10), Binary: true}
	a.Release()
	if a.Data != nil || a.Seq != 0 || a.ID != "" || a.Binary {
		t.Errorf("after Release: %d bytes, %+v", cap(a.Data), a.Head)
	}
}
