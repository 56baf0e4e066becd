package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

// audio hears the user's frames: format, length, rate. What passes goes to the voice, and the
// voice tells the client that it was heard; what does not is refused to the client.
type audio struct {
	// set by newAudio
	hub     *hub
	rec     *record
	hearing *hearing

	armed bool // the next frame crashes: fault injection
}

func newAudio(h *hub, rec *record, hearing *hearing) *audio {
	return &audio{hub: h, rec: rec, hearing: hearing}
}

// Receive is the audio actor's table of contents.
func (a *audio) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	// life
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
	// from the client
	case *proto.AudioIn:
		a.hear(msg)
	case *proto.GapIn:
		a.miss(msg)
	case crashOrder:
		a.crash(msg)
	default:
		a.hub.unhandled(ctx)
	}
}

// hear takes one audio frame of the user.
func (a *audio) hear(f *proto.AudioIn) {
	if a.armed {
		panic(injected("crash over a frame"))
	}
	samples, err := a.hearing.format.Samples(f.Data)
	if err != nil {
		a.refuse(proto.Fault{Code: proto.BadAudio, Message: "data: " + err.Error()})
		return
	}
	f.Samples = samples
	if !a.mayTake(a.hearing.format.Duration(samples), f.ReadAt) {
		return
	}
	if a.hearing.paused {
		a.rec.tellClient((*muffled)(f))
		return
	}
	a.rec.tell(voiceChild, (*listen)(f))
}

// miss takes word that the user's audio is missing for a while.
func (a *audio) miss(g *proto.GapIn) {
	d := a.hearing.format.Duration(g.Samples)
	if d > proto.MaxGapSeconds*time.Second {
		a.refuse(proto.Fault{Code: proto.BadField, Message: "samples: longer than 120 s"})
		return
	}
	// A long silence must not cost more than the bucket can ever hold.
	if !a.mayTake(min(d, audioBurst), 0) {
		return
	}
	if a.hearing.paused {
		a.rec.tellClient(done{g})
		return
	}
	a.rec.tell(voiceChild, silence{g})
}

// mayTake tells whether the rate limit allows so much audio now, and refuses it if not.
func (a *audio) mayTake(d time.Duration, now int64) bool {
	if now == 0 {
		now = time.Now().UnixNano()
	}
	wait := a.hearing.audio.take(d, now)
	if wait == 0 {
		return true
	}
	a.refuse(rateLimited("audio", wait))
	return false
}

func (a *audio) refuse(f proto.Fault) { a.rec.tellClient(refusal{f}) }

// crash is fault injection.
func (a *audio) crash(order crashOrder) {
	if !order.onFrame {
		panic(injected("crash of the audio actor"))
	}
	a.armed = true
}

// rateLimited is the error for too much of something.
func rateLimited(what string, wait time.Duration) proto.Fault {
	return proto.Fault{
		Code: proto.RateLimited, Message: what + " comes faster than the limit",
		RetryAfterMS: int64(wait/time.Millisecond) + 1,
	}
}
