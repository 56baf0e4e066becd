package operator

import (
	"context"
	"math/rand/v2"
	"time"

	"aila/proto"
)

// talk makes the fake's sessions talk, 50 frames a second each way, until ctx ends.
func (f *fake) talk(ctx context.Context) {
	const beat = 100 * time.Millisecond
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.speak(int64(50 * beat / time.Second))
		}
	}
}

// speak carries so many frames on every session.
func (f *fake) speak(frames int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.State == proto.Waiting {
			continue
		}
		s.FramesIn, s.FramesOut = s.FramesIn+frames, s.FramesOut+frames
		s.SamplesIn, s.SamplesOut = s.SamplesIn+480*frames, s.SamplesOut+480*frames
	}
	n := int64(len(f.sessions)) * frames
	f.stats.FramesIn["audio"] += n
	f.stats.FramesOut["audio"] += n
	for i, part := range []int64{70, 20, 6, 3, 1} {
		f.stats.FrameSeconds.Counts[i] += n*part/100 + rand.Int64N(3)
	}
}

// storm publishes so many events a second until ctx ends: crashes and comings and goings.
func (f *fake) storm(ctx context.Context, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.mu.Lock()
		id := f.order[rand.IntN(len(f.order))]
		f.mu.Unlock()
		switch i % 4 {
		case 0: // two events
			_ = f.Crash(id, []string{"audio", "control", "voice"}[i/4%3], false)
		case 2:
			f.publish(proto.Event{Level: "info", Event: proto.EvSessionDetached, Message: "socket lost", Session: id, Code: 4001})
		case 3:
			f.publish(proto.Event{Level: "info", Event: proto.EvSessionResumed, Message: "session resumed", Session: id})
		}
	}
}
