package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"aila/actors/voice"
	"aila/proto"
)

// talker is the session's voice child: it holds the stream of the voice that answers, opens it
// again with backoff when it is lost, and passes on what it says.
type talker struct {
	// set by newTalker
	hub  *hub
	rec  *record
	gate *gate
	// incarnation is how many of this actor crashed before.
	incarnation int64

	self     *actor.PID
	answer   *answer      // of the stream that is open or being opened
	stream   voice.Stream // nil: none is open
	attempts int          // failed since the last stream that was open
	reopened bool         // a stream was open before
	retry    *time.Timer
	armed    bool // the next frame crashes: fault injection
}

// How a voice is opened: how long one attempt may take, and how long until the next.
const (
	openWithin = 10 * time.Second
	minBackoff = 250 * time.Millisecond
	maxBackoff = 15 * time.Second
)

func newTalker(h *hub, rec *record, g *gate) *talker {
	before := rec.restarts[voiceChild].Load()
	return &talker{hub: h, rec: rec, gate: g, incarnation: before, reopened: before > 0}
}

// Receive is the voice actor's table of contents.
func (t *talker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	// life
	case *actor.Started:
		t.self = ctx.Self()
		t.open()
	case *actor.Restarting, *actor.Stopping:
		t.release()
	case *actor.Stopped:
	// from the audio and control children, and the client
	case *listen:
		t.listen((*proto.AudioIn)(msg))
	case silence:
		t.turn(msg.gap, func() error { return t.stream.Silence(msg.gap.Samples) })
	case turn:
		t.turn(msg.msg, func() error { return t.order(msg.msg) })
	case played:
		t.played(msg)
	case crashOrder:
		t.crash(msg)
	default:
		t.fromStream(ctx)
	}
}

// fromStream is the part of the table that the stream, the goroutine that opens it, and this
// actor itself fill.
func (t *talker) fromStream(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *utterance:
		t.say(msg)
	case opened:
		t.opened(msg)
	case *crash:
		t.lost()
	case reopen:
		t.open()
	case settled:
		t.rec.tellClient(done(msg))
	default:
		t.hub.unhandled(ctx)
	}
}

// listen lets the voice hear one frame.
func (t *talker) listen(f *proto.AudioIn) {
	if t.armed {
		panic(injected("crash over a frame"))
	}
	if t.stream == nil || t.stream.Write(voice.Chunk{Data: f.Data, Samples: f.Samples, Seq: f.Seq}, t) != nil {
		t.rec.tellClient(unheard{f})
		return
	}
	t.rec.tellClient((*heard)(f))
}

// Audio implements voice.Reply: what the stream says from within Write. The client books the
// frame after it has said this, so the frame's own memory serves.
func (t *talker) Audio(piece voice.Audio) {
	u := utterances.Get().(*utterance)
	u.from, u.audio = t.answer, piece
	t.rec.tellClient(u)
}

// turn lets the voice hear anything else. What it answers at once goes out before the message
// counts as done: both go through this actor's own mailbox.
func (t *talker) turn(msg proto.Inbound, hear func() error) {
	if t.stream == nil || hear() != nil {
		t.rec.tellClient(unheard{msg})
		return
	}
	t.hub.send(t.self, settled{msg})
}

// order carries out one order of the user on the stream.
func (t *talker) order(msg proto.ControlInbound) error {
	switch m := msg.(type) {
	case *proto.TextIn:
		return t.stream.Text(m.Text)
	case *proto.Commit:
		return t.stream.Commit()
	case *proto.Pause:
		return t.stream.Pause()
	case *proto.Interrupt:
		heard := time.Duration(-1)
		if m.PlayedMS != nil {
			heard = time.Duration(*m.PlayedMS) * time.Millisecond
		}
		return t.stream.Interrupt(m.ItemID, heard)
	case *proto.End:
		return t.stream.End()
	}
	return nil
}

// say passes on what the stream says, also when that stream is gone by now: what was said
// before a crash waited in the mailbox, and is not lost with it.
func (t *talker) say(u *utterance) {
	switch u.event.(type) {
	case voice.Lost:
		if u.from == t.answer {
			t.lost()
		}
		u.release()
	case voice.Finished:
		u.release()
		t.rec.tellClient(finished{})
	default:
		t.rec.tellClient(u)
	}
}

// played tells the stream what the user has heard.
func (t *talker) played(p played) {
	if t.stream != nil {
		t.stream.Played(p.item, time.Duration(p.msg.PlayedMS)*time.Millisecond, p.msg.State)
	}
}

// open begins to open a stream, on a goroutine of its own.
func (t *talker) open() {
	ctx, cancel := context.WithTimeout(context.Background(), openWithin)
	a := &answer{hub: t.hub, to: t.self, gate: t.gate, stop: cancel}
	t.answer = a
	setup := voice.Setup{
		Session: t.rec.id, Encoding: t.rec.format.Encoding, SampleRate: t.rec.format.SampleRate,
		Channels: t.rec.format.Channels, Reopened: t.reopened,
	}
	t.reopened = true
	t.hub.spawn(t.self, func() any { // ends with ctx, which release cancels
		defer cancel()
		stream, err := t.rec.voice.Voice.Open(ctx, setup, a)
		return opened{answer: a, stream: stream, err: err}
	})
}

// opened takes the stream, or tries again later.
func (t *talker) opened(o opened) {
	if o.answer != t.answer {
		if o.stream != nil {
			o.stream.Close() // nobody waits for it any more
		}
		return
	}
	if o.err != nil {
		t.lost()
		return
	}
	t.stream, t.attempts = o.stream, 0
	t.rec.tellClient(voiceUp{t.incarnation})
}

// lost closes the stream and opens another one later.
func (t *talker) lost() {
	t.close()
	t.rec.tellClient(voiceDown{t.incarnation})
	backoff := min(maxBackoff, minBackoff<<min(t.attempts, 10))
	t.attempts++
	self, h := t.self, t.hub
	t.retry = time.AfterFunc(time.Duration(jitter(int(backoff)))+minBackoff/2, func() { h.send(self, reopen{}) })
}

// close lets go of the stream.
func (t *talker) close() {
	if t.answer != nil {
		t.answer.closed.Store(true)
		t.answer.stop()
		t.answer = nil
	}
	if t.stream != nil {
		t.stream.Close()
		t.stream = nil
	}
}

// release lets go of everything.
func (t *talker) release() {
	if t.retry != nil {
		t.retry.Stop()
	}
	t.close()
}

// crash is fault injection.
func (t *talker) crash(order crashOrder) {
	if !order.onFrame {
		panic(injected("crash of the voice actor"))
	}
	t.armed = true
}

// answer is where one stream says what it says; it implements voice.Answer.
type answer struct {
	hub  *hub
	to   *actor.PID
	gate *gate
	stop context.CancelFunc // ends the attempt to open
	// closed says that the stream was told to say no more.
	closed atomic.Bool
}

var errItemless = errors.New("audio without an item")

// Audio implements voice.Answer.
func (a *answer) Audio(piece voice.Audio) {
	if a.closed.Load() {
		return
	}
	u := utterances.Get().(*utterance)
	u.from, u.audio = a, piece
	u.own()
	if piece.Item == "" {
		u.event = voice.Lost{Err: errItemless}
	}
	a.hub.send(a.to, u)
}

// Say implements voice.Answer.
func (a *answer) Say(ev voice.Event) {
	if a.closed.Load() {
		return
	}
	u := utterances.Get().(*utterance)
	u.from, u.event = a, ev
	a.hub.send(a.to, u)
}

// Room implements voice.Answer.
func (a *answer) Room(ctx context.Context) error { return a.gate.wait(ctx) }
