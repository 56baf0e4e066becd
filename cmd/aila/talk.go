package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aila/proto"
	"aila/transport/client"
)

// sentence is what `aila talk` says when it is given nothing else.
//
//go:embed testdata/speech.wav
var sentence []byte

// talkOptions is what `aila talk` can be asked for.
type talkOptions struct {
	url      string
	voice    string
	token    string
	out      string // a file, - for samples on standard output, or empty
	binary   bool
	fast     bool
	frameMS  int
	rate     int
	channels int
	cutEvery time.Duration // 0: never
}

// newTalkCommand says a recording to a server, keeps what comes back, and shows both.
func newTalkCommand() *cobra.Command {
	o := talkOptions{
		url: "ws://127.0.0.1:3001/ws", out: "reply.wav", frameMS: 20,
		rate: proto.DefaultFormat.SampleRate, channels: proto.DefaultFormat.Channels,
	}
	cmd := &cobra.Command{
		Use:   "talk [FILE.wav | -]",
		Short: "Say a recording to a server and hear what comes back",
		Long: "Say a WAV file (PCM of 16 bits), or a few words of its own, to a server as fast as they are spoken, and write what\n" +
			"comes back to --out. With - it says standard input: a WAV file too, or samples of 16 bits as --rate and --channels say.\n\n" +
			"It succeeds if the server acknowledged everything, and, where the voice is echo, if the same came back to the byte.",
		Example: "  aila talk\n  aila talk speech.wav --cut-every 2s\n  arecord -q -f S16_LE -r 24000 | aila talk - --out - | aplay -q -f S16_LE -r 24000",
		Args:    cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", o.url, "the server's `URL`")
	f.StringVar(&o.voice, "voice", "", "the `voice` to talk with (default: the server's)")
	f.StringVar(&o.out, "out", o.out, "`file` for what comes back; - is samples on standard output, empty is nowhere")
	f.BoolVar(&o.fast, "fast", false, "do not wait for the words to be spoken: as fast as the server's rate limit allows")
	f.Var(whole(&o.frameMS, 10, 1000), "frame-ms", "milliseconds of audio in a message")
	f.BoolVar(&o.binary, "binary", false, "send and receive audio as binary messages")
	f.Var(span(&o.cutEvery, 0, time.Hour), "cut-every", "cut the socket so often, to see the session resume (0s: never)")
	f.Var(whole(&o.rate, 8000, 48000), "rate", "samples a second of what - says")
	f.Var(whole(&o.channels, 1, 2), "channels", "channels of what - says")
	f.StringVar(&o.token, "token", "", "`token` to connect with; other users of this machine do not see it in AILA_TOKEN")
	f.SortFlags = false
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !f.Changed("token") {
			o.token = os.Getenv(envPrefix + "TOKEN")
		}
		in, done, err := openRecording(args, cmd.InOrStdin(), o)
		if err != nil {
			return err
		}
		defer done()
		return talk(in, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

// openRecording opens what is to be said; done closes it.
func openRecording(args []string, stdin io.Reader, o talkOptions) (_ recording, done func() error, err error) {
	none := func() error { return nil }
	if len(args) == 0 {
		in, err := readWAV(bytes.NewReader(sentence))
		return in, none, err
	}
	if args[0] == "-" {
		in, err := readInput(stdin, proto.Format{Encoding: "pcm16", SampleRate: o.rate, Channels: o.channels})
		return in, none, err
	}
	file, err := os.Open(args[0])
	if err != nil {
		return recording{}, nil, usageError{err}
	}
	if sameFile(file, o.out) {
		file.Close()
		return recording{}, nil, usageError{fmt.Errorf("--out: %s is what is to be said", o.out)}
	}
	in, err := readWAV(file)
	if err != nil {
		file.Close()
		return recording{}, nil, usageError{fmt.Errorf("%s: %w", args[0], err)}
	}
	return in, file.Close, nil
}

func sameFile(file *os.File, name string) bool {
	a, err := file.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(name)
	return err == nil && os.SameFile(a, b)
}

// talk has the whole call. Standard output is for what comes back, if it goes there, else for
// what is to be seen of the call.
func talk(in recording, o talkOptions, stdout, stderr io.Writer) error {
	speak, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	seen := stdout
	if o.out == "-" {
		seen = stderr
	}
	c := newCall(o, in, seen)
	if err := c.openOut(stdout); err != nil {
		return err
	}
	err := c.dial(speak)
	if err != nil {
		return errors.Join(err, c.closeOut())
	}
	done := c.watch()
	err = c.speak(speak)
	stop() // a second signal ends the process at once
	if err == nil {
		err = c.finish()
	}
	done()
	err = errors.Join(err, c.closeOut())
	return errors.Join(err, c.sumUp())
}

// fastRing is how many bytes a fast speaker has on the way. What it would only queue in
// itself would tell nothing of the server's round trip.
const fastRing = 64 << 10

// dial begins the session.
func (c *call) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ring := 0
	if c.o.fast {
		ring = fastRing
	}
	s, err := client.Dial(ctx, c.o.url, client.Options{
		RingBytes: ring,
		Audio:     c.in.format,
		Voice:     c.o.voice,
		Binary:    c.o.binary,
		Token:     c.o.token,
		OnEvent:   func(_ *client.Session, m proto.Outbound) { c.hear(m) },
		Trace:     &client.Trace{Resumed: c.resumed},
	})
	if err != nil {
		return fmt.Errorf("%s: %w%s", c.o.url, err, advice(err))
	}
	c.session = s
	return nil
}

// advice is what helps a newcomer whose call did not begin.
func advice(err error) string {
	var status *client.HandshakeError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return " (is it running? start it with: aila serve)"
	case errors.As(err, &status) && status.Status == 401:
		return " (it wants a token: make one with aila token and give it in AILA_TOKEN)"
	case errors.As(err, &status) && status.Status == 404:
		return " (the path is /ws)"
	}
	return ""
}
