package transport

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"aila/proto"
)

// only is the one socket of a rig.
func (r *rig) only() *socket {
	r.t.Helper()
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	all := r.srv.sockets.all()
	require.Len(r.t, all, 1)
	return all[0]
}

// eventually waits for what another goroutine is about to do.
func (r *rig) eventually(what string, is func() bool) {
	r.t.Helper()
	require.Eventually(r.t, is, patience, time.Millisecond, what)
}

// wantHangup waits until the session was told.
func (r *rig) wantHangup(want proto.Close) {
	r.t.Helper()
	select {
	case got := <-r.echo.hangups:
		require.Equal(r.t, want, got)
	case <-time.After(patience):
		r.t.Fatal("the session was not told that its socket is gone")
	}
}

func TestAudioIsEchoedInOrder(t *testing.T) {
	p := newRig(t, Options{}).started()
	ids := strings.Split("abcdefghijklmnopqrstuvwxyz", "")
	var all []byte
	for _, id := range ids {
		all = append(all, frame(0x81, []byte(audioChunk(id)))...)
	}
	p.raw(all)
	for _, id := range ids {
		require.Equal(t, id, p.want("audio_chunk").ItemID)
	}
}

func TestFirstAudioStartsASession(t *testing.T) {
	r := newRig(t, Options{})
	p := r.connect()
	p.audio("a")
	p.want("session_started")
	require.Equal(t, "a", p.want("audio_chunk").ItemID)
	require.Equal(t, &proto.Start{}, r.echo.hellos[0].Start)

	p = r.connect()
	binary := append(make([]byte, 16), make([]byte, 480)...)
	binary[0] = 1
	p.raw(frame(0x82, binary))
	p.want("session_started")
	p.want("audio_chunk")
	require.True(t, r.echo.hellos[1].Start.Binary)
}

func TestBeforeASessionNothingElseIsServed(t *testing.T) {
	r := newRig(t, Options{})
	p := r.connect()
	for _, m := range []string{
		`{"type":"ack","seq":1}`, `{"type":"gap","samples":240,"reason":"muted","id":"x"}`, `{"type":"text","text":"hi","id":"x"}`,
		`{"type":"playback","item_id":"i","played_ms":1,"state":"done"}`, `{"type":"session_control","action":"end","id":"x"}`,
		`{"type":"session_control","action":"refresh","token":"t","id":"x"}`,
	} {
		p.text(m)
		e := p.wantError(proto.NotStarted)
		require.Equal(t, strings.Contains(m, `"id"`), e.Ref == "x", m)
		p.wantServed()
	}
	p.text(`{`)
	p.wantError(proto.BadJSON)
	p.text(`{"type":"session_control","action":"start"}`)
	p.want("session_started")
}

func TestTwentyOneErrorsEndASocketWithoutSession(t *testing.T) {
	p := newRig(t, Options{}).connect()
	p.raw(repeat(21, frame(0x81, []byte("{"))))
	for range 21 {
		p.wantError(proto.BadJSON)
	}
	p.wantClose(proto.CloseTooManyErrors)
}

func TestRefusedSessionClosesTheSocket(t *testing.T) {
	for code, want := range map[proto.Code]proto.Close{
		proto.UnknownVoice: proto.CloseUnsupported, proto.ResumeRefused: proto.CloseResumeRefused,
		proto.Overloaded: proto.CloseOverloaded, proto.Internal: proto.CloseFailed,
	} {
		t.Run(string(code), func(t *testing.T) {
			r := newRig(t, Options{})
			r.echo.open = func(context.Context, proto.Hello, proto.Outlet) (proto.Inlet, *proto.Fault) {
				return nil, &proto.Fault{Code: code, Message: "no"}
			}
			p := r.connect()
			p.text(`{"type":"session_control","action":"start"}`)
			require.True(t, p.wantError(code).Fatal)
			p.wantClose(want)
		})
	}
}

func TestWhatIsSentBehindAResumeIsNotStarted(t *testing.T) {
	r := newRig(t, Options{})
	p := r.connect()
	resume := `{"type":"session_control","action":"resume","session_id":"s1","token":"t","last_seq":0,"id":"r"}`
	late := frame(0x81, []byte(audioChunk("late")))
	p.raw(bytes.Join([][]byte{
		frame(0x81, []byte(resume)), frame(0x81, []byte(audioChunk("a"))), frame(0x81, []byte(`{"type":"ping","id":"p"}`)),
		frame(0x81, []byte(resume)), late[:40],
	}, nil))
	require.Equal(t, "a", p.wantError(proto.NotStarted).Ref)
	require.Equal(t, "p", p.want("pong").ID)
	require.Equal(t, "r", p.wantError(proto.NotStarted).Ref)
	p.want("session_resumed")
	p.raw(late[40:])
	require.Equal(t, "late", p.wantError(proto.NotStarted).Ref, "it was sent before session_resumed, too")
	p.audio("b")
	require.Equal(t, "b", p.want("audio_chunk").ItemID)
	require.Len(t, r.echo.hellos, 1)
}

func TestFloodBehindAResumeIsBounded(t *testing.T) {
	p := newRig(t, Options{}).connect()
	resume := `{"type":"session_control","action":"resume","session_id":"s1","token":"t","last_seq":0}`
	p.raw(append(frame(0x81, []byte(resume)), repeat(21, frame(0x81, []byte(`{"type":"ack","seq":1}`)))...))
	for range 21 {
		p.wantError(proto.NotStarted)
	}
	p.wantClose(proto.CloseTooManyErrors)
}

func TestSilentClientIsClosed(t *testing.T) {
	r := newRig(t, Options{})
	r.echo.hangups = make(chan proto.Close, 1)
	p := r.started()
	r.advance(10 * time.Second)
	op, _, err := p.read()
	require.NoError(t, err)
	require.EqualValues(t, opPing, op, "a ping after 10 s")
	p.raw(frame(0x8a, nil))
	r.eventually("the pong was read", func() bool { return r.only().lastRead.Load() == int64(10*time.Second) })
	r.advance(25 * time.Second)
	p.wantServed()
	r.advance(26 * time.Second)
	p.wantClose(proto.CloseHeartbeat)
	r.wantHangup(proto.CloseHeartbeat)
}

func TestClientThatSaysNothingIsClosed(t *testing.T) {
	r := newRig(t, Options{})
	p, busy := r.connect(), r.connect()
	busy.wantServed()
	r.eventually("both are there", func() bool { return r.srv.Sockets() == 2 })
	r.advance(11 * time.Second)
	p.wantClose(proto.CloseNoFirst)
	busy.wantServed()
}

func TestUnfinishedMessageIsClosed(t *testing.T) {
	for name, send := range map[string][]byte{
		"60 kB announced":    {0x82, 0xfe, 0xea, 0x60, 1, 2, 3, 4, 5},
		"part of a header":   {0x82},
		"a fragment":         frame(0x01, []byte("{")),
		"a fragment, a ping": append(frame(0x01, []byte("{")), frame(0x89, nil)...),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.echo.hangups = make(chan proto.Close, 1)
			p := r.started()
			r.advance(time.Second)
			p.raw(send)
			r.eventually("its beginning is noted", func() bool { return r.only().partial.Load() == int64(time.Second) })
			r.advance(4 * time.Second)
			if strings.HasPrefix(name, "60") {
				p.raw([]byte{6}) // a drip does not help
			}
			r.advance(2 * time.Second)
			p.wantClose(proto.CloseUnfinished)
			r.wantHangup(proto.CloseUnfinished)
		})
	}
}

func TestTimeHeldUpByTheSessionDoesNotCount(t *testing.T) {
	r := newRig(t, Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	r.echo.ready = func() bool { return false }
	r.echo.deliver = func(in *inlet, m proto.Inbound) error {
		entered <- struct{}{}
		<-leave
		in.answer(m)
		return nil
	}
	p := r.started()
	half := frame(0x81, []byte(audioChunk("b")))
	p.raw(append(frame(0x81, []byte(audioChunk("a"))), half[:100]...))
	<-entered
	r.advance(30 * time.Second)
	leave <- struct{}{}
	require.Equal(t, "a", p.want("audio_chunk").ItemID)
	r.eventually("the half is noted", func() bool { return r.only().partial.Load() != 0 })
	r.advance(4 * time.Second)
	p.raw(half[100:])
	<-entered
	leave <- struct{}{}
	require.Equal(t, "b", p.want("audio_chunk").ItemID)
}

func TestSocketCutWhileTheSessionHoldsItUp(t *testing.T) {
	r := newRig(t, Options{})
	r.echo.hangups = make(chan proto.Close, 1)
	entered, leave := make(chan struct{}), make(chan struct{})
	r.echo.ready = func() bool { return false }
	r.echo.deliver = func(in *inlet, m proto.Inbound) error {
		close(entered)
		<-leave
		return proto.ErrClosed
	}
	p := r.started()
	p.audio("a")
	<-entered
	r.echo.inlets[0].out.Close(proto.CloseTakenOver)
	r.advance(time.Second)
	r.wantHangup(proto.CloseTakenOver)
	p.wantCloseCode(4504, proto.CloseTakenOver.Reason)
	close(leave)
	p.c.Close()
	r.eventually("it ends", func() bool { return r.srv.Sockets() == 0 })
}

func TestDesertedSocketIsClosed(t *testing.T) {
	r := newRig(t, Options{})
	r.echo.deliver = func(*inlet, proto.Inbound) error { return proto.ErrClosed }
	p := r.started()
	r.advance(time.Second)
	p.audio("a")
	p.audio("b")
	p.wantServed()
	r.advance(11 * time.Second)
	p.wantClose(proto.CloseFailed)
}

func TestCloseFrameArrivesThoughInputWaits(t *testing.T) {
	p := newRig(t, Options{}).started()
	// The server stops reading at once, with most of this still in its receive buffer.
	flood := append([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 2, 3, 4}, make([]byte, 1<<20)...)
	go p.c.Write(flood)
	p.wantClose(proto.CloseTooBig)
}

func TestLostConnectionIsTold(t *testing.T) {
	for name, cut := range map[string]func(p *peer){
		"FIN":                     func(p *peer) { p.c.Close() },
		"FIN within a frame":      func(p *peer) { p.raw([]byte{0x81, 0xfe}); p.c.Close() },
		"FIN behind a message":    func(p *peer) { p.audio("a"); p.tcp.CloseWrite() },
		"reset":                   func(p *peer) { p.tcp.SetLinger(0); p.c.Close() },
		"reset within a frame":    func(p *peer) { p.raw([]byte{0x81, 0xfe}); p.tcp.SetLinger(0); p.c.Close() },
		"FIN without a handshake": func(p *peer) { p.c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.echo.hangups = make(chan proto.Close, 1)
			p := r.started()
			cut(p)
			if name == "FIN behind a message" {
				p.want("audio_chunk")
				r.eventually("the turn is over", func() bool {
					r.srv.mu.Lock()
					defer r.srv.mu.Unlock()
					all := r.srv.sockets.all()
					return len(all) == 0 || all[0].unsure.Load()
				})
				r.advance(time.Second)
			}
			r.wantHangup(proto.Close{})
			r.eventually("it ends", func() bool { return r.srv.Sockets() == 0 })
		})
	}
}

func TestPanicClosesOnlyItsSocket(t *testing.T) {
	r := newRig(t, Options{})
	bystander := r.started()
	r.echo.hangups = make(chan proto.Close, 1)
	r.echo.deliver = func(*inlet, proto.Inbound) error { panic("secret words") }
	p := r.started()
	p.audio("a")
	p.wantClose(proto.CloseFailed)
	r.wantHangup(proto.CloseFailed)
	bystander.wantServed()
	require.Contains(t, r.log.String(), "goroutine panicked")
	require.NotContains(t, r.log.String(), "secret")
}

func TestShutdownSaysGoodbye(t *testing.T) {
	r := newRig(t, Options{})
	r.echo.hangups = make(chan proto.Close, 2)
	a, b := r.started(), r.connect()
	done := make(chan error, 1)
	go func() { done <- r.srv.Shutdown(context.Background()) }()
	for _, p := range []*peer{a, b} {
		p.wantClose(proto.CloseGoingAway)
		p.c.Close()
	}
	require.NoError(t, <-done)
	r.wantHangup(proto.CloseGoingAway)
	_, err := net.Dial("tcp", r.addr)
	require.Error(t, err)
}

func TestShutdownCutsWhoDoesNotGo(t *testing.T) {
	r := newRig(t, Options{})
	r.started()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.srv.Shutdown(ctx), context.Canceled)
	require.Zero(t, r.srv.Sockets())
}

func TestShutdownEndsRequests(t *testing.T) {
	r := newRig(t, Options{})
	entered := make(chan struct{})
	r.srv.Handle("GET /stream", requestsUntilDone(entered))
	p := r.dial()
	p.raw([]byte("GET /stream HTTP/1.1\r\nHost: " + r.addr + "\r\n\r\n"))
	<-entered
	require.NoError(t, r.srv.Shutdown(context.Background()))
}

func TestComingAndGoingLeavesNothingBehind(t *testing.T) {
	r := newRig(t, Options{})
	files := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(d)
	}
	r.started().c.Close()
	r.eventually("it ends", func() bool { return r.srv.Sockets() == 0 })
	before := files()
	for i := range 200 {
		p := r.started()
		p.audio("a")
		switch i % 4 {
		case 0:
			p.raw(closeFrame(1000, ""))
			io.Copy(io.Discard, p.br)
		case 1:
			p.tcp.SetLinger(0)
		case 2:
			p.raw([]byte{0x81, 0xfe, 0x10})
		}
		p.c.Close()
	}
	r.eventually("they end", func() bool { return r.srv.Sockets() == 0 })
	r.eventually("files are closed", func() bool { return files() <= before })
	require.Empty(t, r.srv.limits.owners)
	require.Zero(t, r.srv.limits.taken)
}
