package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// choir is many sessions that talk at the pace of speech while something goes wrong elsewhere.
type choir struct {
	t       testing.TB
	singers []*singer
	stop    chan struct{}
	work    sync.WaitGroup
}

// singer is one of them.
type singer struct {
	*oracle
	session *client.Session
	err     error // why it could not say something
}

// sing starts n sessions that each say a frame every so often, which is its length.
func sing(t testing.TB, url string, n int, every time.Duration, o client.Options) *choir {
	t.Helper()
	c := &choir{t: t, stop: make(chan struct{})}
	pcm := make([][]byte, 50)
	for i := range pcm {
		pcm[i] = toneOf(int64(i+1), 2*int(every*24/time.Millisecond))
	}
	for range n {
		v := &singer{oracle: newOracle()}
		o.OnEvent = func(_ *client.Session, m proto.Outbound) { v.hear(m) }
		var err error
		if v.session, err = client.Dial(t.Context(), url, o); err != nil {
			t.Fatalf("dial: %v", err)
		}
		c.singers = append(c.singers, v)
	}
	for i, v := range c.singers {
		c.work.Go(func() { v.sing(pcm, every, time.Duration(i)*every/time.Duration(n), c.stop) })
	}
	t.Cleanup(func() {
		c.hush()
		for _, v := range c.singers {
			v.session.Close()
			<-v.session.Done()
		}
	})
	return c
}

// sing talks until it is told to stop; after is when it begins, so that not all talk at once.
func (v *singer) sing(pcm [][]byte, every, after time.Duration, stop <-chan struct{}) {
	next := time.NewTimer(after)
	defer next.Stop()
	begun := time.Now().Add(after)
	for i := 0; ; i++ {
		select {
		case <-next.C:
		case <-stop:
			return
		case <-v.session.Done():
			return
		}
		// The oracle must know the frame before its echo can come.
		v.say(pcm[i%len(pcm)])
		if _, v.err = v.session.SendShared(pcm[i%len(pcm)]); v.err != nil {
			return
		}
		next.Reset(time.Until(begun.Add(time.Duration(i+1) * every)))
	}
}

// hush stops the talk, once.
func (c *choir) hush() {
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.work.Wait()
}

// p99 gives the 99th percentile of the time from word to echo since the last call.
func (c *choir) p99() time.Duration {
	var all []time.Duration
	for _, v := range c.singers {
		v.mu.Lock()
		all = append(all, v.lags...)
		v.lags = nil
		v.mu.Unlock()
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

// listen takes the p99 of every second from now on; stop gives their median, so that a hiccup of
// the machine is no verdict.
func (c *choir) listen() (stop func() time.Duration) {
	var all []time.Duration
	over := make(chan struct{})
	var work sync.WaitGroup
	c.p99()
	work.Go(func() { // ends with over
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			select {
			case <-second.C:
				all = append(all, c.p99())
			case <-over:
				return
			}
		}
	})
	return func() time.Duration {
		close(over)
		work.Wait()
		if all = append(all, c.p99()); len(all) > 1 {
			all = all[:len(all)-1] // it was no whole second
		}
		slices.Sort(all)
		median := all[len(all)/2]
		if median == 0 {
			c.t.Error("nothing was heard")
		}
		return median
	}
}

// listenFor is listen, for so long.
func (c *choir) listenFor(d time.Duration) time.Duration {
	stop := c.listen()
	<-time.After(d) // a rate is measured over a time
	return stop()
}

// times is how much longer something takes than it did. Below a millisecond it is the
// machine's doing, not the server's.
func times(now, before time.Duration) float64 {
	return float64(now) / float64(max(before, time.Millisecond))
}

// finish ends all sessions and gives the verdict. None may have seen an error.
func (c *choir) finish() (v verdict) {
	c.t.Helper()
	c.hush()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	for i, s := range c.singers {
		s.say(nil)
		err := errors.Join(s.err, s.session.Finish(ctx))
		s.mu.Lock()
		if err != nil || len(s.errors) > 0 {
			c.t.Errorf("session %d beside the fault: %v, errors %+v", i, err, s.errors)
		}
		if s.ended == nil || s.ended.SamplesOut != s.samples || s.ended.SamplesLost != 0 {
			c.t.Errorf("session %d beside the fault: %+v, want %d samples out and 0 lost", i, s.ended, s.samples)
		}
		s.mu.Unlock()
		v = v.plus(s.verdict())
	}
	return v
}
