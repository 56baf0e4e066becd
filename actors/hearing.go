package actors

import (
	"time"

	"aila/proto"
)

// hearing is what the audio and control children must know and must not forget when they
// crash. It belongs to the session; whoever has the session's one message in hand may touch
// it, so never two at once.
type hearing struct {
	format   proto.Format
	paused   bool
	audio    bucket
	controls bucket // of orders, each as long as its share of a second
	order    time.Duration
}

// audioBurst is how much audio the bucket of the rate limit holds (section 4 of the protocol).
const audioBurst = 10 * time.Second

func newHearing(o Options, f proto.Format) *hearing {
	return &hearing{
		format:   f,
		audio:    bucket{rate: o.MaxAudioRate, burst: audioBurst, level: audioBurst},
		controls: bucket{rate: 1, burst: time.Second, level: time.Second},
		order:    time.Second / time.Duration(o.controlRate),
	}
}

// bucket is a leaky bucket of time: it fills with rate seconds each second up to burst.
type bucket struct {
	rate  float64 // zero or below: no limit
	burst time.Duration
	level time.Duration
	at    int64 // Unix nanoseconds of level
}

// take takes d out of the bucket, at now in Unix nanoseconds. If there is not enough it takes
// nothing and says how long to wait.
func (b *bucket) take(d time.Duration, now int64) (wait time.Duration) {
	if b.rate <= 0 {
		return 0
	}
	if b.at != 0 && now > b.at && b.level < b.burst {
		b.level = min(b.burst, b.level+time.Duration(float64(now-b.at)*b.rate))
	}
	b.at = now
	if d > b.level {
		return time.Duration(float64(d-b.level) / b.rate)
	}
	b.level -= d
	return 0
}

// add puts d on top of what the bucket may hold: the time that the user was cut off.
func (b *bucket) add(d time.Duration) { b.level += max(0, d) }
