package load

import (
	"testing"
	"time"

	"aila/proto"
)

func TestSLOIsJudged(t *testing.T) {
	p := &Report{
		Frames: Counts{Sent: 10_000, Lost: 3}, Events: Events{Started: 10, Errors: map[string]int64{"bad_json": 9, "rate_limited": 1}},
		Echo: Times{Count: 9_997, P50: 4, P99: 49.9, P999: 80}, Resume: Times{Count: 1, P99: 900},
	}
	for _, row := range []struct {
		slo    string
		met    bool
		failed string
	}{
		{"p99<50ms", true, ""},
		{"p99<49.9ms", false, "p99<49.9ms (was 49.9 ms)"},
		{"p99<=49.9ms,lost=3", true, ""},
		{"p99<50ms, lost=0, doubled=0", false, "lost=0 (was 3)"},
		{"lost<0.03%", false, "lost<0.03% (was 0.03%)"},
		{"lost<=0.03%,errors<0.2%", true, ""},
		{"errors<0.1%", false, "errors<0.1% (was 0.1%)"},
		{"p99.9<80ms,resume.p99<1s", false, "p99.9<80ms (was 80 ms)"},
		{"resume.p99<1s,echo.p50>=4ms,errors>9", true, ""},
	} {
		slo, err := ParseSLO(row.slo)
		if err != nil {
			t.Errorf("%s: %v", row.slo, err)
			continue
		}
		if met := slo.Judge(p); met != row.met || p.Failed() != row.failed {
			t.Errorf("%s: got %v, %q; want %v, %q", row.slo, met, p.Failed(), row.met, row.failed)
		}
	}
}

// TestSilenceMeetsNoSLO: a server that echoes nothing has no latency, and no good one either.
func TestSilenceMeetsNoSLO(t *testing.T) {
	slo, err := ParseSLO("p99<50ms")
	if err != nil {
		t.Fatal(err)
	}
	if slo.Judge(&Report{}) {
		t.Error("met without an echo")
	}
}

func TestSLOSaysWhatItWants(t *testing.T) {
	for _, text := range []string{"", ",", "p99", "p99<", "p99<50", "p99<fast", "lost=x", "lost<-1", "p98<1ms", "echoes.p99<1ms", "<50ms", "lost"} {
		if slo, err := ParseSLO(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, slo)
		}
	}
}

func TestOptionsAreRead(t *testing.T) {
	if got, err := ParseSpike("500@10s+5s"); err != nil || got != (Spike{500, 10 * time.Second, 5 * time.Second}) || got.String() != "500@10s+5s" {
		t.Errorf("spike: got %v, %v", got, err)
	}
	if got, err := ParseTurns("4s/6s"); err != nil || got != (Turns{4 * time.Second, 6 * time.Second}) || got.String() != "4s/6s" {
		t.Errorf("turns: got %v, %v", got, err)
	}
	for text, want := range map[string]proto.Format{
		"pcm16": proto.DefaultFormat, "pcm16/48000/2": {Encoding: "pcm16", SampleRate: 48000, Channels: 2},
		"pcmu": {Encoding: "pcmu", SampleRate: 8000, Channels: 1}, "opus": {Encoding: "opus", SampleRate: 48000, Channels: 1},
	} {
		if got, err := ParseFormat(text); err != nil || got != want {
			t.Errorf("format %s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "5@1s", "0@1s+1s", "5@1s+0s", "x@1s+1s", "5x@1s+1s"} {
		if got, err := ParseSpike(text); err == nil {
			t.Errorf("spike %q: got %v, want an error", text, got)
		}
	}
	for _, text := range []string{"", "4", "4s/", "0s", "-1s/1s"} {
		if got, err := ParseTurns(text); err == nil {
			t.Errorf("turns %q: got %v, want an error", text, got)
		}
	}
	for _, text := range []string{"", "mp3", "pcm16/12345", "pcmu/16000", "pcm16/24000/3", "pcm16/24000/1x"} {
		if got, err := ParseFormat(text); err == nil {
			t.Errorf("format %q: got %v, want an error", text, got)
		}
	}
}

func TestSearchHalvesWhatIsLeft(t *testing.T) {
	for _, row := range []struct{ met, not, want int }{
		{10, 0, 20}, {0, 10, 5}, {0, 1, 0}, {10, 20, 15}, {10, 11, 0}, {100, 104, 0}, {100, 108, 104},
	} {
		if got := next(row.met, row.not); got != row.want {
			t.Errorf("next(%d, %d): got %d, want %d", row.met, row.not, got, row.want)
		}
	}
}
