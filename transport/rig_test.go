package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"aila/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 5 * time.Second

// rig is a server with an echo behind it.
type rig struct {
	t    testing.TB
	srv  *Server
	echo *echo
	addr string
	tls  *tls.Config // nil: plain
	now  time.Duration
	log  *lines
}

// lines is a log that tests can read.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newRig serves until the test ends. Its clock stands still until advance.
func newRig(t testing.TB, o Options) *rig { return serveRig(t, o, nil) }

func serveRig(t testing.TB, o Options, secure *tls.Config) *rig {
	r := &rig{t: t, echo: &echo{}, log: &lines{}}
	o.Log = zerolog.New(r.log)
	r.srv = New(o, r.echo)
	r.srv.every = 0
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.addr = l.Addr().String()
	if secure != nil {
		r.tls = &tls.Config{InsecureSkipVerify: true}
	}
	done := make(chan error, 1)
	go func() {
		if secure != nil {
			done <- r.srv.ServeTLS(l, secure)
			return
		}
		done <- r.srv.Serve(l)
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		if err := r.srv.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if n := r.srv.Sockets(); n != 0 {
			t.Errorf("%d sockets after Shutdown, want 0", n)
		}
	})
	return r
}

// advance moves the server's clock and sweeps.
func (r *rig) advance(d time.Duration) {
	r.now += d
	for share := range shares {
		r.srv.sweep(r.now, share, nil)
	}
}

// dial connects without a handshake.
func (r *rig) dial() *peer {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	require.NoError(r.t, err)
	p := &peer{t: r.t, c: c, tcp: c.(*net.TCPConn)}
	if r.tls != nil {
		p.c = tls.Client(c, r.tls)
	}
	p.br = bufio.NewReaderSize(p.c, 64<<10)
	r.t.Cleanup(func() { c.Close() })
	return p
}

// connect shakes hands.
func (r *rig) connect(headers ...string) *peer {
	r.t.Helper()
	p := r.dial()
	res := p.shake(r.addr, headers...)
	require.Equal(r.t, http.StatusSwitchingProtocols, res.StatusCode)
	return p
}

// started connects and starts a session.
func (r *rig) started() *peer {
	r.t.Helper()
	p := r.connect()
	p.text(`{"type":"session_control","action":"start"}`)
	p.want("session_started")
	return p
}

// echo is an Opener whose sessions answer each audio_chunk with its id and each text with a
// transcript.
type echo struct {
	// open and deliver stand in for what echo does by itself; nil: nothing does.
	open    func(ctx context.Context, h proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault)
	deliver func(in *inlet, m proto.Inbound) error
	ready   func() bool
	closed  bool // Accepting is false

	mu      sync.Mutex
	hellos  []proto.Hello
	hungUp  []proto.Close
	hangups chan proto.Close // nil: nobody waits
	inlets  []*inlet
}

func (e *echo) Accepting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.closed
}

func (e *echo) Open(ctx context.Context, h proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault) {
	e.mu.Lock()
	e.hellos = append(e.hellos, h)
	e.mu.Unlock()
	if e.open != nil {
		return e.open(ctx, h, out)
	}
	if h.Resume != nil {
		out.Send(proto.Append(nil, &proto.SessionResumed{SessionID: h.Resume.SessionID}), false)
	} else {
		out.Send(proto.Append(nil, &proto.SessionStarted{SessionID: "s1"}), false)
	}
	in := &inlet{echo: e, out: out}
	e.mu.Lock()
	e.inlets = append(e.inlets, in)
	e.mu.Unlock()
	return in, nil
}

type inlet struct {
	echo *echo
	out  proto.Outlet
	said proto.AudioOut
	buf  []byte
}

func (i *inlet) Ready() bool { return i.echo.ready == nil || i.echo.ready() }

func (i *inlet) Deliver(m proto.Inbound) error {
	if i.echo.deliver != nil {
		return i.echo.deliver(i, m)
	}
	i.answer(m)
	return nil
}

func (i *inlet) answer(m proto.Inbound) {
	switch m := m.(type) {
	case *proto.AudioIn:
		i.said = proto.AudioOut{ItemID: m.ID, Data: m.Data}
		i.buf = proto.Append(i.buf[:0], &i.said)
		i.out.Send(i.buf, false)
		m.Release()
	case *proto.TextIn:
		i.out.Send(proto.Append(nil, &proto.Transcript{ItemID: m.ID, Role: "voice", Text: m.Text}), false)
	case *proto.End:
		i.out.Close(proto.CloseEnded)
	case *proto.Refused:
		i.out.Send(proto.Append(nil, &m.Fault), false)
	}
}

func (i *inlet) Hangup(c proto.Close) {
	i.echo.mu.Lock()
	defer i.echo.mu.Unlock()
	i.echo.hungUp = append(i.echo.hungUp, c)
	if i.echo.hangups != nil {
		i.echo.hangups <- c
	}
}

// requestsUntilDone is a handler that serves until its request's context ends.
func requestsUntilDone(entered chan<- struct{}) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
}

// openAndSend is an Open that sends count numbered messages.
func openAndSend(r *rig, count int) func(context.Context, proto.Hello, proto.Outlet) (proto.Inlet, *proto.Fault) {
	return func(_ context.Context, _ proto.Hello, out proto.Outlet) (proto.Inlet, *proto.Fault) {
		for n := range count {
			out.Send(numbered(0, n), false)
		}
		in := &inlet{echo: r.echo, out: out}
		r.echo.mu.Lock()
		defer r.echo.mu.Unlock()
		r.echo.inlets = append(r.echo.inlets, in)
		return in, nil
	}
}
