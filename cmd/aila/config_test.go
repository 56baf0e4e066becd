package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestEveryKnobIsNamedOnceAndItsDefaultIsGood(t *testing.T) {
	c := defaults()
	seen := map[string]bool{}
	for _, k := range knobs(&c) {
		if seen[k.name] || foreign.MatchString(envName(k.name)) || k.help == "" {
			t.Errorf("knob %s is there twice, shadowed, or without help", k.name)
		}
		seen[k.name] = true
		shown := k.value.String()
		if shown == "" || k.name == "max-sockets" {
			continue
		}
		if err := k.value.Set(shown); err != nil || k.value.String() != shown {
			t.Errorf("default of %s: %q becomes %q, %v", k.name, shown, k.value.String(), err)
		}
	}
	if err := c.check(); err != nil {
		t.Errorf("defaults: %v, want none wrong", err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	c := defaults()
	s := bind(pflag.NewFlagSet("aila", pflag.ContinueOnError), &c)
	key := ""
	s.knobs = append(s.knobs, knob{name: "voice-key", value: text(&key, oneOf("sesame", "other")), secret: true})
	file := filepath.Join(t.TempDir(), "aila.yaml")
	if err := os.WriteFile(file, []byte("voice-key: sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.file = file
	var out bytes.Buffer
	if err := s.read(); err != nil || key != "sesame" {
		t.Fatalf("read: %q, %v, want sesame, nil", key, err)
	}
	if err := s.print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "sesame") || !strings.Contains(out.String(), "# voice-key: (hidden)") {
		t.Errorf("config shows the secret, or not that there is one:\n%s", out.String())
	}
	t.Setenv("AILA_VOICE_KEY", "guessed")
	if err := s.read(); err == nil || strings.Contains(err.Error(), "guessed") {
		t.Errorf("read: %v, want an error that hides what it got", err)
	}
}

func TestWhatAClusterSetsForAServiceOfOurNameIsNotOurs(t *testing.T) {
	for name, want := range map[string]bool{
		"AILA_SERVICE_HOST": true, "AILA_SERVICE_PORT": true, "AILA_SERVICE_PORT_HTTP": true, "AILA_PORT": true,
		"AILA_PORT_3001_TCP": true, "AILA_PORT_3001_TCP_ADDR": true, "AILA_CANARY_SERVICE_HOST": true, "AILA_CONFIG": true,
		"AILA_LISTEN": false, "AILA_MAX_QUEUE": false, "AILA_PORTS": false, "AILA_SERVICE": false,
	} {
		if got := foreign.MatchString(name); got != want {
			t.Errorf("%s foreign: %v, want %v", name, got, want)
		}
	}
}

func TestLoopbackIsWhatOnlyThisMachineReaches(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:3001": true, "127.9.9.9:1": true, "localhost:3001": true, "[::1]:3001": true,
		":3001": false, "0.0.0.0:3001": false, "[::]:3001": false, "192.168.1.2:3001": false, "aila.example:3001": false,
		"[::ffff:127.0.0.1]:1": true, "localhost.example:1": false,
	} {
		if got := loopback(address); got != want {
			t.Errorf("loopback(%s) = %v, want %v", address, got, want)
		}
	}
}

func TestSuggestNamesOnlyWhatIsNear(t *testing.T) {
	names := []string{"listen", "max-queue", "max-session", "max-sessions"}
	for got, want := range map[string]string{
		"lisen": "listen", "maxqueue": "max-queue", "max-sesions": "max-sessions", "max-session": "max-session",
		"colour": "", "": "",
	} {
		if s := suggest(got, names); want == "" && s != "" || !strings.Contains(s, want) {
			t.Errorf("suggest(%q) = %q, want %q", got, s, want)
		}
	}
}
