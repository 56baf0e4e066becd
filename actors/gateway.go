package actors

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/oklog/ulid/v2"

	"aila/proto"
)

// Gateway is the door to the sessions: it implements proto.Opener for sockets and
// proto.Operator for operators. Its methods may be called from any goroutine.
type Gateway struct {
	hub     *hub
	manager *actor.PID
	stop    chan struct{}
	once    sync.Once
}

var (
	_ proto.Opener   = (*Gateway)(nil)
	_ proto.Operator = (*Gateway)(nil)
)

// answerTimeout bounds how long Open waits for an actor that crashed while it was asked.
const answerTimeout = 5 * time.Second

// Start builds the actor system with its session manager. Call Stop once, at the end.
func Start(o Options) *Gateway {
	h := newHub(o.withDefaults())
	g := &Gateway{hub: h, stop: make(chan struct{})}
	guardian := &resuming{report: func(_ *actor.PID, c *crash) {
		h.tally.managerFails.Add(1)
		h.events.emit(proto.Event{Event: proto.EvActorFailed, Actor: managerName, Path: managerName, Reason: c.reason, Stack: c.stack})
	}}
	props := h.props(new(box), managerName, "", func() actor.Actor { return &manager{hub: h} })
	pid, err := h.system.Root.SpawnNamed(props.Configure(actor.WithGuardian(guardian)), managerName)
	if err != nil {
		panic(bug("session manager: " + err.Error())) // a fresh system has no other
	}
	g.manager = pid
	h.work.Add(1)
	go func() { // ends when Stop closes g.stop
		defer h.work.Done()
		h.clock.run(g.stop)
	}()
	return g
}

// Stop stops every session without ceremony and waits for all goroutines: call Drain before.
func (g *Gateway) Stop() {
	g.once.Do(func() {
		close(g.stop)
		_ = g.hub.system.Root.StopFuture(g.manager).Wait() // it cannot fail but by taking over 10 s
		g.hub.work.Wait()
		g.hub.system.Shutdown()
	})
}

// Accepting implements proto.Opener.
func (g *Gateway) Accepting() bool {
	return !g.hub.draining.Load() && g.hub.books.room(g.hub.opts.MaxSessions)
}

// Open implements proto.Opener.
func (g *Gateway) Open(ctx context.Context, hello proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault) {
	if hello.Resume != nil {
		return g.resume(ctx, hello, out)
	}
	rec, fault := g.newRecord(hello, out)
	if fault != nil {
		g.hub.tally.fault(fault.Code)
		return nil, fault
	}
	e := &enter{rec: rec, out: out, expires: hello.Expires, reply: make(chan *inlet, 1)}
	g.hub.send(g.manager, e)
	if in := await(ctx, e.reply); in != nil {
		return in, nil
	}
	g.hub.tally.fault(proto.Internal)
	return nil, &proto.Fault{Code: proto.Internal, Message: "the session could not be started", Fatal: true, Ref: rec.ref}
}

// resume joins a socket to a session that waits, or takes it over.
func (g *Gateway) resume(ctx context.Context, hello proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault) {
	rec := g.hub.books.resumable(hello.Resume.SessionID)
	if rec == nil {
		new(tokens).check(hello.Resume.Token) // as slow as a session that exists
		return nil, g.hub.refuseResume(hello.Resume.ID)
	}
	a := &attach{hello: hello, out: out, reply: make(chan attached, 1)}
	g.hub.send(rec.pid.Load(), a)
	switch answer := await(ctx, a.reply); {
	case answer.in != nil:
		g.hub.tally.resumes[resumeOK].Add(1)
		return answer.in, nil
	case answer.fault != nil:
		return nil, answer.fault
	}
	return nil, g.hub.refuseResume(hello.Resume.ID) // it ended just now
}

// refuseResume makes the one answer to every resume that is refused.
func (h *hub) refuseResume(ref string) *proto.Fault {
	h.tally.resumes[resumeRefused].Add(1)
	h.tally.fault(proto.ResumeRefused)
	return &proto.Fault{Code: proto.ResumeRefused, Message: proto.ResumeRefusedMessage, Fatal: true, Ref: ref}
}

// await takes an actor's answer; the zero value when none comes.
func await[T any](ctx context.Context, reply <-chan T) (answer T) {
	select {
	case answer = <-reply: // nearly always there already: the actor ran on this goroutine
		return answer
	default:
	}
	t := time.NewTimer(answerTimeout)
	defer t.Stop()
	select {
	case answer = <-reply:
	case <-t.C:
	case <-ctx.Done():
	}
	return answer
}

// newRecord draws a place in the books for the session that a start asks for.
func (g *Gateway) newRecord(hello proto.Hello, out proto.Outlet) (*record, *proto.Fault) {
	start, o := hello.Start, g.hub.opts
	format := start.Audio
	if format == (proto.Format{}) {
		format = proto.DefaultFormat
	}
	fatal := func(code proto.Code, message string) *proto.Fault {
		return &proto.Fault{Code: code, Message: message, Fatal: true, Ref: start.ID}
	}
	if !format.Supported() {
		return nil, fatal(proto.UnsupportedAudio, "supported are "+proto.FormatsSupported)
	}
	voice, ok := g.voiceNamed(start.Voice)
	if !ok {
		return nil, fatal(proto.UnknownVoice, "voices are "+strings.Join(g.Voices(), ", "))
	}
	if g.hub.draining.Load() || !g.hub.books.draw(o.MaxSessions) {
		f := fatal(proto.Overloaded, "no more sessions here now")
		f.RetryAfterMS = 1000 + int64(jitter(4000))
		return nil, f
	}
	rec := &record{
		id: newID(), voice: voice, format: format, subject: hello.Subject, binary: start.Binary,
		startedAt: time.Now(), metadata: start.Metadata, ref: start.ID,
	}
	rec.credits.left.Store(int64(o.Window))
	state := proto.Listening
	rec.state.Store(&state)
	rec.remote.Store(&hello.Remote)
	rec.outlet.Store(&out)
	return rec, nil
}

// voiceNamed finds a voice; an empty name means the default.
func (g *Gateway) voiceNamed(name string) (NamedVoice, bool) {
	for _, v := range g.hub.opts.Voices {
		if v.Name == name || name == "" {
			return v, true
		}
	}
	return NamedVoice{}, false
}

// newID makes a session id: a ULID, so that lists are in order of birth.
func newID() string { return strings.ToLower(ulid.MustNew(ulid.Now(), rand.Reader).String()) }

// jitter is a random number below n, so that many do not do the same at once.
func jitter(n int) int {
	var b [4]byte
	rand.Read(b[:])
	return int(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3])) % n
}

// itemName is the wire's id of a session's nth item.
func itemName(n int64) string { return "item_" + strconv.FormatInt(n, 10) }
