package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"aila/cmd/aila/load"
)

// TestLoadHoldsAServerToItsWord runs the command against a whole server, with sockets cut,
// actors crashed and sessions replaced, and reads what it wrote.
func TestLoadHoldsAServerToItsWord(t *testing.T) {
	s := startServerAt(t, zerolog.WarnLevel, nil)
	for _, row := range []struct {
		name string
		args string
	}{
		{"binary", "--binary --cut-rate 5 --churn 5"},
		{"in turns", "--think 200ms/100ms --crash-rate 10"},
		{"pcmu", "--format pcmu --frame-ms 40 --spike 5@500ms+300ms"},
		{"opus", "--format opus"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			file := func(name string) string { return filepath.Join(dir, name) }
			args := append([]string{"load"}, strings.Fields(row.args)...)
			args = append(args, "--url", s.ws(), "--clients", "10", "--duration", "1500ms", "--ramp", "50ms",
				"--slo", "lost=0,doubled=0,differing=0,out_of_order=0,refused=0,dropped=0,disagreeing=0",
				"--json", file("r.json"), "--csv", file("r.csv"), "--html", file("r.html"))
			var stdout, stderr bytes.Buffer
			if code := run(args, &stdout, &stderr); code != exitOK {
				t.Fatalf("exits %d, want 0:\n%s%s", code, &stdout, &stderr)
			}
			text, err := os.ReadFile(file("r.json"))
			if err != nil {
				t.Fatal(err)
			}
			var p load.Report
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatalf("r.json: %v", err)
			}
			if p.Frames.Sent == 0 || p.Frames.Heard+p.Frames.Announced != p.Frames.Sent {
				t.Errorf("got %+v, want every frame echoed, or said to be lost", p.Frames)
			}
			if e := p.Events; strings.Contains(row.args, "cut") && (e.Cut == 0 || e.Resumed != e.Cut) {
				t.Errorf("got %d cut and %d resumed, want some and all", e.Cut, e.Resumed)
			}
			if e := p.Events; strings.Contains(row.args, "crash") && (e.Crashed == 0 || e.CrashRefused != 0) {
				t.Errorf("got %d crashed and %d refused, want some and none", e.Crashed, e.CrashRefused)
			}
			csv, err := os.ReadFile(file("r.csv"))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(csv)), "\n")
			for _, line := range lines {
				if got, want := strings.Count(line, ","), strings.Count(lines[0], ","); got != want || len(lines) < 2 {
					t.Errorf("r.csv: %d commas in %q, want %d in every line", got, line, want)
				}
			}
		})
	}
}

// TestLoadPageNeedsNothingElse: the page loads nothing, and nothing in the data becomes markup.
func TestLoadPageNeedsNothingElse(t *testing.T) {
	p := load.Report{Settings: []load.Setting{{Name: "url", Value: "ws://x/</script><b>"}, {Name: "clients", Value: "5"}}, Warnings: []string{}}
	var b bytes.Buffer
	if err := p.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(b.String(), "http://www.w3.org/2000/svg", "")
	for _, never := range []string{"http://", "https://", " src=", "@import", "x/</script>"} {
		if strings.Contains(page, never) {
			t.Errorf("the page contains %q", never)
		}
	}
}

func TestLoadExits(t *testing.T) {
	s := startServerAt(t, zerolog.WarnLevel, nil)
	for _, row := range []struct {
		args string
		code int
		says string
	}{
		{"--url " + s.ws() + " --slo lost>0", exitFailed, "aila: not met: lost>0 (was 0)"},
		{"--url " + s.ws() + " --slo p98<1ms", exitUsage, `aila: --slo: p98<1ms: no metric "p98"`},
		{"--url http://127.0.0.1", exitUsage, "want ws://HOST:PORT/ws"},
		{"--url ws://127.0.0.1:1/ws", exitUsage, "no session could be started: connect_failed"},
		{"--audio nowhere.wav", exitUsage, "read --audio"},
		{"--format mp3", exitUsage, `--format: got "mp3"`},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"load", "--clients", "2", "--duration", "200ms", "--ramp", "10ms"}, strings.Fields(row.args)...)
		if code := run(args, &stdout, &stderr); code != row.code || !strings.Contains(stderr.String(), row.says) {
			t.Errorf("aila load %s: exits %d, says %q; want %d, %q", row.args, code, &stderr, row.code, row.says)
		}
	}
}

func TestLoadHidesTokens(t *testing.T) {
	got := quoted([]string{"load", "--token", "secret", "--slo", "p99<50ms", "--token=secret", "--audio", "it's.wav"})
	want := `load --token … --slo 'p99<50ms' --token=… --audio 'it'\''s.wav'`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
