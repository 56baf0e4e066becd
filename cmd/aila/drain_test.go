package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// frameSamples is 200 ms of the default format.
const frameSamples = 4800

// caller says a frame of 200 ms every 200 ms and remembers what it hears. Its fields belong to
// the session's reading goroutine until over.
type caller struct {
	session *client.Session
	away    *proto.GoAway
	ended   *proto.SessionEnded
	echoed  int64 // the seq of the last echo
	after   int   // how many echoes came after the goaway
	breaks  int   // echoes that were not the next one
	closed  int   // the close code
}

func dialCaller(ctx context.Context, url string) (*caller, error) {
	c := &caller{}
	s, err := client.Dial(ctx, url, client.Options{
		Binary:    true,
		Reconnect: client.Reconnect{Off: true},
		OnEvent:   func(_ *client.Session, m proto.Outbound) { c.hear(m) },
		Trace:     &client.Trace{Lost: func(cl proto.Close, _ error) { c.closed = cl.Code }},
	})
	c.session = s
	return c, err
}

func (c *caller) hear(m proto.Outbound) {
	switch m := m.(type) {
	case *proto.GoAway:
		c.away = m
	case *proto.SessionEnded:
		c.ended = m
	case *proto.AudioOut:
		if c.echoed++; c.away != nil {
			c.after++
		}
		// Binary answers carry no re: their order says which frame each echoes.
		if pos := (c.echoed - 1) * frameSamples; m.Pos != pos || len(m.Data) != 2*frameSamples {
			c.breaks++
		}
	}
}

// talk goes on until the session is over.
func (c *caller) talk(said chan<- struct{}) {
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	frame := make([]byte, 2*frameSamples)
	for first := true; ; first = false {
		if _, err := c.session.Send(frame); err != nil {
			return
		}
		if first {
			said <- struct{}{}
		}
		select {
		case <-every.C:
		case <-c.session.Done():
			return
		}
	}
}

// wrong says what the caller did not see of a polite end.
func (c *caller) wrong() error {
	switch {
	case c.away == nil || c.away.Reason != "drain" || c.away.Action != "end" || c.away.TimeLeftMS <= 0:
		return fmt.Errorf("goaway was %+v, want drain, end and the time left", c.away)
	case c.after == 0:
		return fmt.Errorf("nothing was heard after the goaway: talk must go on")
	case c.breaks != 0:
		return fmt.Errorf("%d of %d echoes were not the next", c.breaks, c.echoed)
	case c.ended == nil || c.ended.Reason != proto.EndShutdown:
		return fmt.Errorf("session_ended was %+v, want shutdown", c.ended)
	case c.ended.SamplesLost != 0 || c.ended.SamplesOut != c.echoed*frameSamples:
		return fmt.Errorf("the server lost %d samples and says it sent %d, %d were heard", c.ended.SamplesLost, c.ended.SamplesOut, c.echoed*frameSamples)
	case c.closed != proto.CloseGoingAway.Code:
		return fmt.Errorf("closed with %d, want %d", c.closed, proto.CloseGoingAway.Code)
	}
	return nil
}

func TestDrainLetsSessionsTalkUntilTheDeadline(t *testing.T) {
	const timeout = 1500 * time.Millisecond
	callers := scale(50, 200)
	p, err := startProcess(t.TempDir(), "--drain-timeout", timeout.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	var all []*caller
	var talking sync.WaitGroup
	said := make(chan struct{}, callers)
	for range callers {
		c, err := dialCaller(ctx, p.ws)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		talking.Go(func() { c.talk(said) })
	}
	for range callers {
		<-said
	}

	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	code, log, err := p.wait()
	if took := time.Since(began); err != nil || code != 0 || took < timeout || took > timeout+time.Second {
		t.Errorf("exits %d after %v, %v, want 0 within a second of %v", code, took, err, timeout)
	}
	talking.Wait()
	wrong := 0
	for i, c := range all {
		_ = c.session.Wait() // it ended otherwise than it asked for
		if err := c.wrong(); err != nil {
			wrong++
			t.Logf("caller %d: %v", i, err)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d callers did not see a polite end", wrong, callers)
	}
	if !bytes.Contains(log, []byte(`"event":"drain_started"`)) || !bytes.Contains(log, []byte(`"event":"drain_done"`)) {
		t.Errorf("no drain in the log:\n%s", log)
	}
	if _, err := http.Get(p.page + "/healthz"); err == nil {
		t.Error("something still answers at the server's address")
	}
}
