package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// config is what an operator can turn. Every field is one line of knobs: a flag, an
// environment variable and a line of the file.
type config struct {
	Listen            string
	Insecure          bool
	TLSCert           string
	TLSKey            string
	AllowedOrigins    []string
	Auth              string
	AuthSecretFile    string
	OperatorTokenFile string

	Voice  string
	Voices []string

	MaxSessions   int
	MaxSockets    int // 0 until read: 1.25 times MaxSessions
	MaxPerAddress int
	MaxAudioRate  float64 // seconds of audio each second; 0: no bound
	MaxQueue      int64   // bytes

	ResumeWindow time.Duration
	IdleTimeout  time.Duration
	MaxSession   time.Duration
	DrainTimeout time.Duration

	FaultInjection bool
	Pprof          bool
	MetricsPublic  bool

	LogLevel     string
	LogFormat    string
	LogAddresses bool
}

// defaults are the values of knobs that nobody turned.
func defaults() config {
	return config{
		Listen:        "127.0.0.1:3001",
		Auth:          authNone,
		Voice:         "echo",
		MaxSessions:   20_000,
		MaxPerAddress: 256,
		MaxAudioRate:  2,
		MaxQueue:      256 << 10,
		ResumeWindow:  2 * time.Minute,
		IdleTimeout:   10 * time.Minute,
		MaxSession:    4 * time.Hour,
		DrainTimeout:  30 * time.Second,
		LogLevel:      "info",
		LogFormat:     formatAuto,
	}
}

// The values of --auth.
const (
	authNone  = "none"
	authToken = "token"
)

// knob is one row of the table: its name is the flag, and with AILA_ before it and
// underscores for dashes the environment variable.
type knob struct {
	name   string
	value  value
	help   string
	secret bool // shown by `aila config` only as hidden
}

// knobs is the one table of all that can be turned, bound to c, whose present values are the
// defaults.
func knobs(c *config) []knob {
	return []knob{
		{name: "listen", value: text(&c.Listen, address), help: "`host:port` for HTTP and WebSocket"},
		{name: "insecure", value: toggle(&c.Insecure), help: "listen beyond this machine without authentication"},
		{name: "tls-cert", value: text(&c.TLSCert, anyText), help: "certificate `file` (PEM); read again when it changes"},
		{name: "tls-key", value: text(&c.TLSKey, anyText), help: "key `file` (PEM) of --tls-cert"},
		{name: "allowed-origins", value: list(&c.AllowedOrigins, origin), help: "`origins` of web pages that may connect, such as https://app.example.com (default: the server's own)"},
		{name: "auth", value: text(&c.Auth, oneOf(authNone, authToken)), help: "who may connect: none (everyone) or token (who holds one)"},
		{name: "auth-secret-file", value: text(&c.AuthSecretFile, anyText), help: "`file` of the secret that signs clients' tokens, 32 bytes or more"},
		{name: "operator-token-file", value: text(&c.OperatorTokenFile, anyText), help: "`file` of the token that operators send"},

		{name: "voice", value: text(&c.Voice, oneOf(voiceNames()...)), help: "the voice of a session that names none"},
		{name: "voices", value: list(&c.Voices, oneOf(voiceNames()...)), help: "the `voices` that a session may name (default: all)"},

		{name: "max-sessions", value: whole(&c.MaxSessions, 1, 10_000_000), help: "sessions at once; more are told overloaded"},
		{name: "max-sockets", value: whole(&c.MaxSockets, 0, 10_000_000), help: "sockets at once (0: 1.25 times --max-sessions)"},
		{name: "max-per-address", value: whole(&c.MaxPerAddress, 1, 10_000_000), help: "sockets at once from one address; this machine is exempt while auth is none"},
		{name: "max-audio-rate", value: number(&c.MaxAudioRate, 0, 1000), help: "seconds of audio that a client may send in a second (0: any)"},
		{name: "max-queue", value: size(&c.MaxQueue, 4<<10, 1<<30), help: "bytes that may wait for a client who reads slowly"},

		{name: "resume-window", value: span(&c.ResumeWindow, time.Second, 24*time.Hour), help: "how long a session waits for its client to come back"},
		{name: "idle-timeout", value: span(&c.IdleTimeout, time.Second, 24*time.Hour), help: "end a session in which nothing was said for so long"},
		{name: "max-session", value: span(&c.MaxSession, time.Second, 7*24*time.Hour), help: "end a session after so long"},
		{name: "drain-timeout", value: span(&c.DrainTimeout, 0, 24*time.Hour), help: "how long sessions may go on after SIGTERM"},

		{name: "fault-injection", value: toggle(&c.FaultInjection), help: "let operators crash an actor on purpose"},
		{name: "pprof", value: toggle(&c.Pprof), help: "serve Go's profiles to operators under /debug/pprof/"},
		{name: "metrics-public", value: toggle(&c.MetricsPublic), help: "serve /metrics to everyone"},

		{name: "log-level", value: text(&c.LogLevel, oneOf("trace", "debug", "info", "warn", "error")), help: "log from this level on: trace, debug, info, warn or error"},
		{name: "log-format", value: text(&c.LogFormat, oneOf(formatAuto, formatJSON, formatPretty)), help: "auto (pretty on a terminal), json or pretty"},
		{name: "log-addresses", value: toggle(&c.LogAddresses), help: "show clients' addresses instead of a keyed hash of them"},
	}
}

// check finds the mistakes that no knob has alone, each as one line.
func (c config) check() error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, usageError{fmt.Errorf(format, args...)}) }
	if c.TLSCert != "" && c.TLSKey == "" {
		say("--tls-cert needs --tls-key")
	}
	if c.TLSKey != "" && c.TLSCert == "" {
		say("--tls-key needs --tls-cert")
	}
	if c.Auth == authToken && c.AuthSecretFile == "" {
		say("--auth token needs --auth-secret-file, a file of 32 random bytes or more, such as: openssl rand -hex 32 > secret")
	}
	if c.Auth == authNone && c.AuthSecretFile != "" {
		say("--auth-secret-file has no effect with --auth none: add --auth token, or drop it")
	}
	if c.Auth == authNone && c.OperatorTokenFile != "" {
		say("--operator-token-file has no effect with --auth none, where operators are whoever is on this machine: add --auth token, or drop it")
	}
	if len(c.Voices) > 0 && !slices.Contains(c.Voices, c.Voice) {
		say("--voice: got %q, want one of --voices (%s)", c.Voice, show(c.Voices))
	}
	if c.Auth == authNone && !c.Insecure && !loopback(c.Listen) {
		say("refusing to listen on %s with --auth none, since everyone who reaches it could talk at your cost: "+
			"add --auth token --auth-secret-file FILE, or --insecure if the network is yours alone, or --listen 127.0.0.1:3001", c.Listen)
	}
	return errors.Join(wrong...)
}

// loopback tells whether only this machine can reach a listener on the address.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
