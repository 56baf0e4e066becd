package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"aila/proto"
)

// Options says what load to make. Required are URL, Clients, Duration, Audio and Source; the
// zero value of everything else is a plain load.
type Options struct {
	// URL is the server's, with scheme ws or wss.
	URL string
	// Clients talk at once.
	Clients int
	// Duration is how long they talk once all should have joined.
	Duration time.Duration
	// Ramp is the time in which they join. Zero: 500 of them a second.
	Ramp time.Duration
	// Frame is the length of a message. Zero means 20 ms.
	Frame time.Duration

	// Audio is what is said over and over: samples of 16 bits, little-endian, in the format
	// Source, which is pcm16.
	Audio  []byte
	Source proto.Format
	// Format is what the sessions speak. Zero means proto.DefaultFormat. Audio is converted,
	// but for opus, whose packets hold noise: no server of ours looks into them.
	Format proto.Format
	// Binary has audio sent and received as binary messages.
	Binary bool
	// Voice must be one that echoes. Empty means echo.
	Voice string

	// Turns make each client talk and listen in turns. Zero: it never stops talking.
	Turns Turns
	// Churn is how many sessions end each second, each replaced by a new one.
	Churn float64
	// CutRate is how many sockets are cut each second, to be resumed.
	CutRate float64
	// CrashRate is how many actors are crashed each second, over the operators' API.
	CrashRate float64
	// Spike is a crowd of further clients.
	Spike Spike
	// Seed draws who is cut, crashed and replaced, and where in the recording each begins.
	Seed uint64

	// Token authorises the clients, OperatorToken the crashes. Empty: none is sent.
	Token, OperatorToken string
	// Grace is how long sessions may take to end. Zero means 10 s.
	Grace time.Duration

	// Tick is given the state of things once a second, on a goroutine of the run. Nil: none.
	Tick func(Live)

	// dial replaces the network in tests.
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Spike is a crowd that comes at once and leaves at once.
type Spike struct {
	// Clients come besides those of the load. Zero: nobody.
	Clients int
	// At is when, counted from when the ramp is over, and For how long they stay.
	At, For time.Duration
}

// String is what ParseSpike reads.
func (s Spike) String() string {
	if s.Clients == 0 {
		return ""
	}
	return fmt.Sprintf("%d@%s+%s", s.Clients, s.At, s.For)
}

// ParseSpike reads 500@10s+5s: 500 clients more, 10 s after the ramp, for 5 s.
func ParseSpike(text string) (Spike, error) {
	var s Spike
	wrong := errors.New("want CLIENTS@AT+FOR, such as 500@10s+5s")
	who, when, ok := strings.Cut(text, "@")
	at, long, ok2 := strings.Cut(when, "+")
	if !ok || !ok2 {
		return s, wrong
	}
	var err1, err2, err3 error
	_, err1 = fmt.Sscanf(who+"\n", "%d\n", &s.Clients)
	s.At, err2 = time.ParseDuration(at)
	s.For, err3 = time.ParseDuration(long)
	if err1 != nil || err2 != nil || err3 != nil || s.Clients < 1 || s.At < 0 || s.For <= 0 {
		return Spike{}, wrong
	}
	return s, nil
}

// Turns is how long a client talks, and then how long it listens.
type Turns struct{ Talk, Listen time.Duration }

// String is what ParseTurns reads.
func (t Turns) String() string {
	if t.Talk == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%s", t.Talk, t.Listen)
}

// ParseTurns reads 4s/6s, talk and listen, or 5s for both.
func ParseTurns(text string) (Turns, error) {
	talk, listen, two := strings.Cut(text, "/")
	if !two {
		listen = talk
	}
	var t Turns
	var err1, err2 error
	t.Talk, err1 = time.ParseDuration(talk)
	t.Listen, err2 = time.ParseDuration(listen)
	if err1 != nil || err2 != nil || t.Talk <= 0 || t.Listen <= 0 {
		return Turns{}, errors.New("want TALK/LISTEN, such as 4s/6s, or one duration for both")
	}
	return t, nil
}

// ParseFormat reads ENCODING/RATE/CHANNELS, of which the latter may be left out.
func ParseFormat(text string) (proto.Format, error) {
	wrong := fmt.Errorf("want ENCODING/RATE/CHANNELS, such as pcm16/24000/1: %s", proto.FormatsSupported)
	encoding, rest, _ := strings.Cut(text, "/")
	f := proto.Format{Encoding: encoding, SampleRate: proto.DefaultFormat.SampleRate, Channels: 1}
	switch encoding {
	case "pcmu", "pcma":
		f.SampleRate = 8000
	case "opus":
		f.SampleRate = 48000
	}
	if rest != "" {
		rate, channels, two := strings.Cut(rest, "/")
		if _, err := fmt.Sscanf(rate+"\n", "%d\n", &f.SampleRate); err != nil {
			return proto.Format{}, wrong
		}
		if two {
			if _, err := fmt.Sscanf(channels+"\n", "%d\n", &f.Channels); err != nil {
				return proto.Format{}, wrong
			}
		}
	}
	if !f.Supported() {
		return proto.Format{}, wrong
	}
	return f, nil
}

// FormatText is what ParseFormat reads.
func FormatText(f proto.Format) string {
	return fmt.Sprintf("%s/%d/%d", f.Encoding, f.SampleRate, f.Channels)
}

// withDefaults replaces zero fields by what they mean.
func (o Options) withDefaults() Options {
	if o.Ramp == 0 {
		o.Ramp = time.Duration(o.Clients) * time.Second / 500
	}
	if o.Frame == 0 {
		o.Frame = 20 * time.Millisecond
	}
	if o.Format == (proto.Format{}) {
		o.Format = proto.DefaultFormat
	}
	if o.Voice == "" {
		o.Voice = "echo"
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	return o
}

// check finds what cannot be run.
func (o Options) check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil, u.Host == "", u.Scheme != "ws" && u.Scheme != "wss":
		return fmt.Errorf("URL %q: want ws://HOST:PORT/ws", o.URL)
	case o.Clients < 1:
		return errors.New("no clients")
	case o.Duration <= 0:
		return errors.New("no duration")
	case o.Frame < proto.MinChunk || o.Frame > proto.MaxChunk:
		return fmt.Errorf("frames of %s: want 10 ms to 1 s", o.Frame)
	case !o.Format.Supported():
		return fmt.Errorf("format %s: want %s", FormatText(o.Format), proto.FormatsSupported)
	case o.Spike.Clients > 0 && o.Spike.At >= o.Duration:
		return errors.New("the spike would come when all is over")
	}
	return nil
}
