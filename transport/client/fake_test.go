package client

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"aila/proto"
	"aila/transport/client/clienttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server played by the test, over pipes in memory, so that time is synctest's. It is
// strict: whatever the protocol forbids a client fails the test.
type rig struct {
	t       *testing.T
	network *clienttest.Network
	peers   chan *peer

	down atomic.Bool // refuses connects

	mu         sync.Mutex
	status     int             // answers the next handshake in place of an upgrade
	retryAfter string          // goes with it
	auth       []string        // the Authorization headers, one a handshake
	dialed     []time.Time     // when a connect was tried
	limits     []time.Duration // what Jitter was asked for
}

// bubble runs f against a rig, in a bubble of synctest.
func bubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, network: clienttest.NewNetwork(), peers: make(chan *peer, 16)}
		srv := &http.Server{Handler: r}
		go srv.Serve(r.network)
		defer srv.Close()
		f(t, r)
	})
}

func (r *rig) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	r.mu.Lock()
	r.dialed = append(r.dialed, time.Now())
	r.mu.Unlock()
	if r.down.Load() {
		return nil, errors.New("the network is down")
	}
	return r.network.Dial(ctx, network, addr)
}

func (r *rig) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.auth = append(r.auth, q.Header.Get("Authorization"))
	status := r.status
	r.status = 0
	r.mu.Unlock()
	if status != 0 {
		w.Header().Set("Retry-After", r.retryAfter)
		w.WriteHeader(status)
		return
	}
	if got := q.Header.Get("Sec-WebSocket-Protocol"); got != "aila.v1" {
		r.t.Errorf("offered %q, want aila.v1", got)
	}
	ws, err := websocket.Accept(w, q, &websocket.AcceptOptions{Subprotocols: []string{"aila.v1"}})
	if err != nil {
		r.t.Errorf("accept: %v", err)
		return
	}
	ws.SetReadLimit(256 << 10)
	p := &peer{t: r.t, reading: make(chan bool, 1), ws: ws, in: make(chan proto.Inbound, 1<<16), out: make(chan any, 1<<16), dead: make(chan struct{}), gone: make(chan struct{})}
	go p.read()
	go p.write()
	r.peers <- p
}

// options are those of a client of the rig: its jitter is always the limit.
func (r *rig) options() Options {
	return Options{
		DialContext: r.dial,
		Reconnect: Reconnect{Jitter: func(limit time.Duration) time.Duration {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.limits = append(r.limits, limit)
			return limit
		}},
	}
}

// begin dials and plays the server's part of it.
func (r *rig) begin(o Options) (*Session, *peer) {
	r.t.Helper()
	began := make(chan *peer)
	go func() {
		p := <-r.peers
		p.start()
		began <- p
	}()
	s, err := Dial(context.Background(), "ws://aila.test/ws", o)
	if err != nil {
		r.t.Fatalf("dial: %v", err)
	}
	return s, <-began
}

// peer is the server's end of one socket.
type peer struct {
	t       *testing.T
	ws      *websocket.Conn
	in      chan proto.Inbound // closed when the client is gone
	out     chan any
	dead    chan struct{} // closed with in
	gone    chan struct{} // closed when the writer is done
	err     error         // how the client went; read it after in was closed
	reading chan bool     // a test that fills it keeps the peer from reading
	next    int64         // the seq of what the client says next; 0: not numbered
	said    int64         // our own last seq
}

func (p *peer) read() {
	defer close(p.dead)
	defer close(p.in)
	defer p.ws.CloseNow()
	for {
		p.reading <- true
		<-p.reading
		kind, b, err := p.ws.Read(context.Background())
		if err != nil {
			p.err = err
			return
		}
		var m proto.Inbound
		if kind == websocket.MessageBinary {
			m = proto.DecodeBinary(b)
		} else if m, err = proto.Decode(b); err != nil {
			p.t.Errorf("decode: %v", err)
		}
		if f, ok := m.(*proto.Refused); ok {
			p.t.Errorf("client said what the codec refuses: %v", &f.Fault)
		}
		p.in <- m
	}
}

// write writes what was said, in order, so that a test need not wait for the client to read.
func (p *peer) write() {
	defer close(p.gone)
	for {
		var m any
		select {
		case m = <-p.out:
		case <-p.dead:
			return
		}
		switch m := m.(type) {
		case proto.Close:
			p.ws.Close(websocket.StatusCode(m.Code), m.Reason)
			return
		case *proto.AudioOut:
			if m.Item != 0 {
				p.ws.Write(context.Background(), websocket.MessageBinary, proto.AppendBinary(nil, m))
				continue
			}
			p.ws.Write(context.Background(), websocket.MessageText, proto.Append(nil, m))
		case proto.Outbound:
			p.ws.Write(context.Background(), websocket.MessageText, proto.Append(nil, m))
		case string:
			p.ws.Write(context.Background(), websocket.MessageText, []byte(m))
		case func():
			m()
		}
	}
}

// say sends messages, numbering those without a seq that need one. A proto.Close ends.
func (p *peer) say(all ...any) {
	for _, m := range all {
		if q, ok := m.(proto.Sequenced); ok && *q.Number() == 0 {
			p.said++
			*q.Number() = p.said
		}
		p.out <- m
	}
}

// drop ends the socket without a close frame.
func (p *peer) drop() {
	p.ws.CloseNow()
	<-p.dead
	<-p.gone
}

// take gives the next message of the client, acks and pings left out.
func (p *peer) take() proto.Inbound {
	p.t.Helper()
	for m := range p.in {
		switch m := m.(type) {
		case *proto.AckIn, *proto.Ping:
			continue
		case *proto.AudioIn:
			if m.Wrapped {
				m.Seq, m.Wrapped = proto.Nearest(uint32(m.Seq), p.next), false
			}
		}
		if n, ok := m.(proto.Numbered); ok && p.next > 0 {
			if got := n.Header().Seq; got != p.next {
				p.t.Fatalf("client said %T with seq %d, want %d", m, got, p.next)
			}
			p.next++
		}
		return m
	}
	p.t.Fatalf("client is gone: %v", p.err)
	return nil
}

// quiet fails if the client has said anything but acks and pings.
func (p *peer) quiet() {
	p.t.Helper()
	synctest.Wait()
	for len(p.in) > 0 {
		switch m := (<-p.in).(type) {
		case *proto.AckIn, *proto.Ping:
		default:
			p.t.Errorf("client said %T, want nothing", m)
		}
	}
}

// frames takes n frames of audio and fails unless they are those that pcm(from..) makes.
func (p *peer) frames(from, n int) {
	p.t.Helper()
	for i := from; i < from+n; i++ {
		a, ok := p.take().(*proto.AudioIn)
		if !ok || !bytes.Equal(a.Data, pcm(i)) {
			p.t.Fatalf("frame %d is not what was sent", i)
		}
	}
}

const sessionID = "01J0SESSION"

func (p *peer) start() *proto.Start {
	p.t.Helper()
	m, ok := p.take().(*proto.Start)
	if !ok {
		p.t.Fatalf("first message is no start")
	}
	f := m.Audio
	if f == (proto.Format{}) {
		f = proto.DefaultFormat
	}
	p.next = 1
	p.say(&proto.SessionStarted{
		SessionID: sessionID, Resume: proto.ResumeGrant{Token: "token-1", WindowMS: 120_000}, Audio: f, Voice: "echo",
		Durability: "memory", HeartbeatMS: 10_000,
	})
	return m
}

// resume takes the client's resume, and answers that the session has all up to last.
func (p *peer) resume(said, last int64, token string) *proto.Resume {
	p.t.Helper()
	m, ok := p.take().(*proto.Resume)
	if !ok || m.SessionID != sessionID {
		p.t.Fatalf("client says no resume of its session")
	}
	p.quiet() // nothing may follow before the answer
	p.next, p.said = last+1, said
	p.say(&proto.SessionResumed{
		SessionID: sessionID, LastSeq: last, Replay: proto.Range{From: m.LastSeq + 1, To: said},
		Resume: proto.ResumeGrant{Token: token, WindowMS: 120_000},
	})
	return m
}

// pcm is 20 ms of audio that no other frame has.
func pcm(i int) []byte {
	b := make([]byte, 960)
	for j := 0; j < len(b); j += 4 {
		binary.LittleEndian.PutUint32(b[j:], uint32(i*1009+j))
	}
	return b
}

// send says the frames pcm(from..).
func send(t *testing.T, s *Session, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		if _, err := s.Send(pcm(i)); err != nil {
			t.Fatalf("send frame %d: %v", i, err)
		}
	}
}

// log keeps what a session delivered, as short texts.
type log struct{ lines []string }

func (l *log) hear(_ *Session, m proto.Outbound) {
	switch m := m.(type) {
	case *proto.AckOut, *proto.Pong:
	case *proto.AudioOut:
		l.lines = append(l.lines, fmt.Sprintf("audio %d %s %x", m.Seq, m.ItemID, m.Data[:4]))
	case proto.Sequenced:
		l.lines = append(l.lines, fmt.Sprintf("%T %d", m, *m.Number())[7:])
	default:
		l.lines = append(l.lines, fmt.Sprintf("%T", m)[7:])
	}
}

func (l *log) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.lines, want) {
		t.Errorf("delivered:\n%q\nwant:\n%q", l.lines, want)
	}
}

// over closes the session and waits until it is gone.
func over(s *Session) {
	s.Close()
	s.Wait()
}
