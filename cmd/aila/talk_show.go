package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"aila/proto"
)

// watch shows the call as it goes, and cuts its socket where asked to, until the function
// that it returns is called.
func (c *call) watch() (done func()) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	every := time.Second
	if c.screen.live {
		every = 100 * time.Millisecond
	}
	wg.Go(func() { c.repeat(stop, every, c.draw) })
	if c.o.cutEvery > 0 {
		wg.Go(func() { c.repeat(stop, c.o.cutEvery, func() { c.session.Cut() }) })
	}
	return func() {
		close(stop)
		wg.Wait()
	}
}

// repeat does something at a rhythm until stop is closed.
func (c *call) repeat(stop <-chan struct{}, every time.Duration, do func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do()
		case <-stop:
			return
		}
	}
}

// meterCells is how wide a level meter is drawn.
const meterCells = 20

// draw shows how the call stands.
func (c *call) draw() {
	st := c.session.Stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.in.format
	said := fmt.Sprintf("%s in %d frames, %d acknowledged", seconds(f, c.said), st.Frames, st.Acked)
	heard := fmt.Sprintf("%s in %d frames", seconds(f, c.heard), st.HeardFrames)
	below := fmt.Sprintf("round trip %s; lost %s; reconnects %d", c.trip(), seconds(f, c.lost), st.Resumes)
	if !c.session.Attached() {
		below += "; away"
	}
	if !c.screen.live {
		c.screen.stay("said %s; heard %s; %s", said, heard, below)
		return
	}
	up, down := c.up.read(), c.down.read()
	c.screen.show(
		fmt.Sprintf("you    ▕%s▏%4.0f dB  %s", bar(up, meterCells), up, said),
		fmt.Sprintf("voice  ▕%s▏%4.0f dB  %s", bar(down, meterCells), down, heard),
		below,
	)
}

// trip gives the round trip's median and 99th percentile in words.
func (c *call) trip() string {
	if c.trips.TotalCount() == 0 {
		return "-"
	}
	at := func(percent float64) string {
		return fmt.Sprintf("%.1f ms", float64(c.trips.ValueAtPercentile(percent))/1000)
	}
	return "p50 " + at(50) + ", p99 " + at(99)
}

// sumUp says how the call went, as an error where something was lost on the way.
func (c *call) sumUp() error {
	st := c.session.Stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.close()
	c.screen.erase()
	f := c.in.format
	var wrong []error

	acked := "all acknowledged"
	if st.Acked < st.Said {
		acked = fmt.Sprintf("%d of %d messages not acknowledged", st.Said-st.Acked, st.Said)
		wrong = append(wrong, errors.New(acked))
	}
	c.screen.stay("said        %s in %d frames, %s", seconds(f, c.said), st.Frames, acked)

	judged := ""
	if c.echo {
		judged = ", the same to the byte"
		if c.ledger.missing+c.ledger.wrong > 0 {
			judged = fmt.Sprintf(", %d missing and %d different", c.ledger.missing, c.ledger.wrong)
			wrong = append(wrong, errors.New("the echo is not what was said"+judged))
		}
	}
	c.screen.stay("heard       %s in %d frames%s", seconds(f, c.heard), st.HeardFrames, judged)
	if c.echo {
		c.screen.stay("round trip  %s", c.trip())
	}
	if c.lost > 0 {
		c.screen.stay("lost        %s that never reached the voice", seconds(f, c.lost))
	}
	if st.Resumes > 0 {
		c.screen.stay("reconnects  %d, the longest took %s", st.Resumes, c.longest.Round(time.Millisecond))
	}
	if _, isFile := c.out.(*wavWriter); isFile {
		c.screen.stay("written to  %s", c.o.out)
	}
	return errors.Join(wrong...)
}

// seconds writes so many samples per channel as a time.
func seconds(f proto.Format, samples int64) string {
	return fmt.Sprintf("%.1f s", f.Duration(samples).Seconds())
}

// describe writes a format in words.
func describe(f proto.Format) string {
	return fmt.Sprintf("%s at %d Hz, %s", f.Encoding, f.SampleRate, map[int]string{1: "mono", 2: "stereo"}[f.Channels])
}
