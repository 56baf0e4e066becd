package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"aila/proto"
	"aila/transport/client"
)

// call is one run of `aila talk`.
type call struct {
	// set by newCall and dial
	o       talkOptions
	in      recording
	session *client.Session

	// guarded by mu
	mu       sync.Mutex
	screen   screen
	out      io.WriteCloser // nil: what comes back is not kept
	outErr   error
	echo     bool // the voice says what it hears
	up, down meter
	ledger   ledger
	said     int64 // samples per channel
	heard    int64
	lost     int64                   // samples that never reached the voice
	trips    *hdrhistogram.Histogram // microseconds from said to heard
	longest  time.Duration           // the longest resume
}

func newCall(o talkOptions, in recording, seen io.Writer) *call {
	return &call{
		o: o, in: in,
		screen: screen{w: seen, live: terminal(seen) && os.Getenv("TERM") != "dumb"},
		trips:  hdrhistogram.New(1, time.Hour.Microseconds(), 3),
	}
}

// openOut makes what the answer is written to.
func (c *call) openOut(stdout io.Writer) error {
	switch c.o.out {
	case "":
		return nil
	case "-":
		c.out = newPipe(stdout)
		return nil
	}
	w, err := createWAV(c.o.out, c.in.format)
	if err != nil {
		return usageError{fmt.Errorf("--out: %w", err)}
	}
	c.out = w
	return nil
}

// closeOut finishes what the answer was written to, and tells what went wrong with it. By
// then the session is over.
func (c *call) closeOut() error {
	if c.out != nil {
		c.outErr = errors.Join(c.outErr, c.out.Close())
	}
	if c.outErr != nil {
		return fmt.Errorf("write %s: %w", c.o.out, c.outErr)
	}
	return nil
}

// speak says the recording until it or ctx ends.
func (c *call) speak(ctx context.Context) error {
	frame := time.Duration(c.o.frameMS) * time.Millisecond
	buf := make([]byte, c.in.format.SampleRate*c.o.frameMS/1000*2*c.in.format.Channels)
	p := pace{frame: frame}
	if c.o.fast {
		p.fast, p.rate = true, c.session.Started().Limits.MaxAudioRate
	}
	for {
		pcm, err := c.in.next(buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what to say: %w", err)
		}
		select {
		case <-time.After(p.wait(time.Now())):
		case <-c.session.Done():
			return nil // finish tells how it ended
		case <-ctx.Done():
			return nil // enough was said
		}
		if err := c.say(ctx, pcm); err != nil {
			return nil
		}
	}
}

// pace says when the next frame is due.
type pace struct {
	frame time.Duration
	fast  bool
	rate  float64 // seconds of audio a second; 0: no limit. Only where fast

	began time.Time
	next  time.Time
	said  time.Duration
}

// burst is how much audio a fast speaker says at once: most of what the rate limit holds.
const burst = 8 * time.Second

// late is how far a source may fall behind, as one that comes in blocks does, before the
// pace begins anew.
const late = 500 * time.Millisecond

// wait gives how long to wait for the next frame, and counts it.
func (p *pace) wait(now time.Time) time.Duration {
	if p.began.IsZero() {
		p.began, p.next = now, now
	}
	if p.fast && p.rate == 0 {
		return 0
	}
	if p.fast {
		p.said += p.frame
		// A little slower than the limit: the server's clock is not ours.
		over := max(0, p.said-burst)
		return p.began.Add(time.Duration(float64(over) / (0.98 * p.rate))).Sub(now)
	}
	if now.Sub(p.next) > late {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(p.frame)
	return wait
}

// say says one frame, after waiting for room if the server is away for long.
func (c *call) say(ctx context.Context, pcm []byte) error {
	for {
		c.mu.Lock()
		seq, err := c.session.Send(pcm)
		if err == nil {
			c.up.hear(pcm)
			c.said += int64(len(pcm) / (2 * c.in.format.Channels))
			if c.echo {
				c.ledger.say(seq, pcm, time.Now())
			}
		}
		c.mu.Unlock()
		if !errors.Is(err, client.ErrFull) {
			return err
		}
		if err := c.session.Room(ctx); err != nil {
			return err
		}
	}
}

// finish ends the session and waits for what is still to come.
func (c *call) finish() error {
	// A turn that ends makes a voice answer that waits for the end of one.
	if err := c.session.Commit(); err != nil {
		return c.session.Wait()
	}
	return c.session.Finish(context.Background())
}

// hear takes what the server says, on the session's reading goroutine.
func (c *call) hear(m proto.Outbound) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := m.(type) {
	case *proto.SessionStarted:
		c.echo = m.Voice == "echo"
		c.screen.stay("session %s with %s, %s", m.SessionID, m.Voice, describe(m.Audio))
	case *proto.AudioOut:
		c.answer(m)
	case *proto.GapOut:
		if m.Reason != proto.GapPaused {
			c.lost += m.ToPos - m.FromPos
		}
		c.screen.stay("not heard: %s of audio (%s)", seconds(c.in.format, m.ToPos-m.FromPos), m.Reason)
	case *proto.Fault:
		c.screen.stay("server: %s: %s", m.Code, m.Message)
	case *proto.GoAway:
		c.screen.stay("server: going away (%s), %s it", m.Reason, map[string]string{"resume": "resuming without", "end": "ending with"}[m.Action])
	case *proto.Transcript:
		if m.Final {
			c.screen.stay("%s: %q", map[string]string{"user": "you", "voice": "voice"}[m.Role], m.Text)
		}
	case *proto.Notice:
		c.screen.stay("notice: %q", m.Text)
	}
}

// answer keeps and judges a piece of what came back.
func (c *call) answer(m *proto.AudioOut) {
	c.down.hear(m.Data)
	c.heard += int64(len(m.Data) / (2 * c.in.format.Channels))
	if c.out != nil && c.outErr == nil {
		_, c.outErr = c.out.Write(m.Data)
	}
	if !c.echo {
		return
	}
	if at := c.ledger.hear(m.Re, m.Data); !at.IsZero() {
		c.trips.RecordValue(min(max(1, time.Since(at).Microseconds()), c.trips.HighestTrackableValue()))
	}
}

// resumed is told of each resume.
func (c *call) resumed(took time.Duration, again int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest = max(c.longest, took)
	c.screen.stay("resumed after %s, %d messages said again", took.Round(time.Millisecond), again)
}
