package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// talked runs aila talk against s and gives its exit code and what it showed.
func talked(t *testing.T, s *server, flags ...string) (code int, seen string) {
	t.Helper()
	t.Setenv("AILA_TOKEN", "")
	var out bytes.Buffer
	code = run(append([]string{"talk", "--url", s.ws()}, flags...), &out, &out)
	return code, out.String()
}

func TestTalkHearsWhatItSays(t *testing.T) {
	s := startServer(t, nil)
	speech, err := os.ReadFile("testdata/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	for name, flags := range map[string][]string{
		"its own words": {},
		"a file":        {"testdata/speech.wav"},
		"binary":        {"--binary", "--frame-ms", "10"},
		"long frames":   {"--frame-ms", "1000"},
		"while cut":     {"--cut-every", "20ms", "--binary"},
	} {
		t.Run(name, func(t *testing.T) {
			reply := filepath.Join(t.TempDir(), "reply.wav")
			code, seen := talked(t, s, append(flags, "--fast", "--out", reply)...)
			if code != exitOK || !strings.Contains(seen, "all acknowledged") || !strings.Contains(seen, "the same to the byte") {
				t.Errorf("exit %d, want 0; it showed:\n%s", code, seen)
			}
			if got, err := os.ReadFile(reply); err != nil || !bytes.Equal(got[44:len(speech)], speech[44:]) {
				t.Errorf("what came back is not the file that was said: %v", err)
			}
		})
	}
}

func TestTalkFailsWhenSomethingIsLost(t *testing.T) {
	t.Setenv("AILA_TOKEN", "")
	s := startServer(t, nil)
	samples, far := io.Pipe()
	var out bytes.Buffer
	cmd := newTalkCommand()
	cmd.SetArgs([]string{"-", "--fast", "--url", s.ws(), "--out", ""})
	cmd.SetIn(samples)
	cmd.SetOut(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ended := make(chan error, 1)
	go func() { ended <- cmd.Execute() }()

	frame := func(b byte) {
		if _, err := far.Write(bytes.Repeat([]byte{b}, 960)); err != nil {
			t.Fatal(err)
		}
	}
	frame(1) // what says nothing yet has no session either
	eventually(t, patience, "the first frame to be heard", func() bool {
		all := s.sessions()
		return len(all) == 1 && all[0].FramesIn == 1
	})
	s.crash(s.sessions()[0].ID, "audio", "frame")
	for b := range byte(20) {
		frame(b + 2)
	}
	far.Close()
	err := <-ended
	if err == nil || !strings.Contains(err.Error(), "1 missing and 0 different") {
		t.Errorf("talk: %v, want an echo with 1 frame missing", err)
	}
	for _, want := range []string{"actor_restarted", "not heard: 0.0 s of audio", "lost        0.0 s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it did not show %q:\n%s", want, out.String())
		}
	}
}

func TestTalkSaysWhatIsWrong(t *testing.T) {
	s := startServer(t, nil)
	dir := t.TempDir()
	words := filepath.Join(dir, "words.wav")
	if err := os.WriteFile(words, []byte("no audio at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		flags []string
		code  int
		says  string
	}{
		"no such file":    {[]string{filepath.Join(dir, "none.wav")}, exitUsage, "no such file"},
		"not a WAV file":  {[]string{words}, exitUsage, "words.wav: not a WAV file"},
		"out is in":       {[]string{"testdata/speech.wav", "--out", "testdata/speech.wav"}, exitUsage, "what is to be said"},
		"out nowhere":     {[]string{"--out", filepath.Join(dir, "no", "reply.wav")}, exitUsage, "--out: "},
		"frame too short": {[]string{"--frame-ms", "5"}, exitUsage, "want a whole number from 10 to 1000"},
		"unknown voice":   {[]string{"--voice", "nobody", "--out", ""}, exitFailed, "unknown_voice"},
		"wrong path":      {[]string{"--url", s.page() + "/none", "--out", ""}, exitFailed, "the path is /ws"},
		"nobody there":    {[]string{"--url", "ws://127.0.0.1:1/ws", "--out", ""}, exitFailed, "aila serve"},
	} {
		code, seen := talked(t, s, row.flags...)
		if code != row.code || !strings.Contains(seen, row.says) {
			t.Errorf("%s: exit %d with %q, want %d with %q", name, code, seen, row.code, row.says)
		}
	}
}
