package load

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"aila/proto"
	"aila/transport/client/clienttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// act is what the fake server does with a frame.
type act int

const (
	echoes   act = iota
	drops        // acknowledged and never echoed
	doubles      // echoed twice
	swaps        // echoed after the next one
	corrupts     // echoed with one bit changed
	admits       // announced as lost
)

// fake is a server with known faults, over pipes in memory, so that time is synctest's: what
// it delays takes exactly so long.
type fake struct {
	network *clienttest.Network

	// set by the test
	delay, ackDelay, startDelay time.Duration
	plan                        func(n int64) act // by the frame's number in its session; nil: echoes
	stallFrom, stallTo          time.Duration     // nothing is echoed in between
	crowded                     int               // with more sessions than this the delay is tenfold; 0: never
	refuse                      int               // so many handshakes are answered with 503
	failAfter                   int64             // a session ends with 1011 after so many frames; 0: never

	began time.Time

	mu       sync.Mutex
	sessions int
	most     int
	started  int
	commits  int
	frames   int64
	did      map[act]int64
}

// bubble runs f against a fake server, in a bubble of synctest.
func bubble(t *testing.T, f func(t *testing.T, s *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &fake{network: clienttest.NewNetwork(), did: map[act]int64{}, began: time.Now(), delay: 30 * time.Millisecond}
		srv := &http.Server{Handler: s}
		go srv.Serve(s.network)
		defer srv.Close()
		f(t, s)
	})
}

// options are those of a load on the fake: second after second of a rising tone. Its frames
// are long: in a bubble with very many timers the race detector of Go 1.26 fails on its own
// (golang/go#78156).
func (s *fake) options(clients int, d time.Duration) Options {
	audio := make([]byte, 2*24000*3)
	for i := range len(audio) / 2 {
		audio[2*i], audio[2*i+1] = byte(i/3), byte(i/900)
	}
	return Options{
		URL: "ws://aila.test/ws", Clients: clients, Duration: d, Frame: 100 * time.Millisecond, Ramp: 100 * time.Millisecond, Audio: audio, Source: proto.DefaultFormat,
		Seed: 7, dial: s.network.Dial,
	}
}

func (s *fake) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	refuse := s.refuse > 0
	if refuse {
		s.refuse--
	}
	s.mu.Unlock()
	if refuse {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, q, &websocket.AcceptOptions{Subprotocols: []string{"aila.v1"}})
	if err != nil {
		return
	}
	ws.SetReadLimit(256 << 10)
	p := &peer{s: s, ws: ws, out: make(chan later, 1<<12), done: make(chan struct{})}
	s.count(1)
	defer s.count(-1)
	go p.write()
	p.read()
	<-p.done
}

func (s *fake) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions += n
	s.most = max(s.most, s.sessions)
	s.started += max(0, n)
}

// later is a message and when it is to be written.
type later struct {
	at time.Time
	m  any // of proto; a proto.Close ends
}

// peer is the server's end of one session.
type peer struct {
	s      *fake
	ws     *websocket.Conn
	out    chan later
	done   chan struct{}
	binary bool
	acked  int64
	pos    int64
	n      int64 // frames
	held   *proto.AudioOut
}

func (p *peer) read() {
	defer close(p.out)
	for {
		kind, b, err := p.ws.Read(context.Background())
		if err != nil {
			return
		}
		var m proto.Inbound
		if kind == websocket.MessageBinary {
			m = proto.DecodeBinary(b)
		} else if m, err = proto.Decode(b); err != nil {
			return
		}
		p.take(m)
	}
}

func (p *peer) say(after time.Duration, m any) { p.out <- later{time.Now().Add(after), m} }

func (p *peer) take(m proto.Inbound) {
	switch m := m.(type) {
	case *proto.Start:
		p.binary = m.Binary
		p.say(p.s.startDelay, &proto.SessionStarted{SessionID: "s", Resume: proto.ResumeGrant{Token: "t", WindowMS: 1000}, Audio: proto.DefaultFormat, HeartbeatMS: 1e6})
		p.say(p.s.startDelay, &proto.SessionState{State: proto.Speaking, ItemID: "a", Item: 1})
	case *proto.AudioIn:
		p.hear(m)
	case *proto.Commit:
		p.s.mu.Lock()
		p.s.commits++
		p.s.mu.Unlock()
		p.acked = m.Seq
	case *proto.End:
		p.say(p.s.ackDelay, &proto.AckOut{Seq: m.Seq, Pos: p.pos})
		p.say(p.s.delay, &proto.SessionEnded{Reason: proto.EndClient, SamplesIn: p.pos})
		p.say(p.s.delay, proto.CloseEnded)
	}
}

// hear does with a frame what the plan says.
func (p *peer) hear(m *proto.AudioIn) {
	what := echoes
	p.n++
	if p.s.plan != nil {
		what = p.s.plan(p.n)
	}
	delay := p.s.delay
	p.s.mu.Lock()
	p.s.frames++
	p.s.did[what]++
	if p.s.crowded > 0 && p.s.sessions > p.s.crowded {
		delay *= 10
	}
	p.s.mu.Unlock()
	if since := time.Since(p.s.began); since >= p.s.stallFrom && since < p.s.stallTo {
		delay += p.s.stallTo - since
	}
	samples := int64(len(m.Data) / 2)
	a := &proto.AudioOut{ItemID: "a", Item: 1, Data: slices.Clone(m.Data), Re: p.acked + 1}
	p.acked++
	switch what {
	case corrupts:
		a.Data[10] ^= 1
	case admits:
		p.say(delay, &proto.GapOut{FromPos: p.pos, ToPos: p.pos + samples, Reason: proto.GapRestarted})
	}
	p.pos += samples
	p.say(p.s.ackDelay, &proto.AckOut{Seq: p.acked, Pos: p.pos})
	switch what {
	case swaps:
		p.held = a
	case echoes, corrupts, doubles:
		p.say(delay, a)
		if what == doubles {
			again := *a
			p.say(delay, &again)
		}
		if p.held != nil {
			p.say(delay, p.held)
			p.held = nil
		}
	}
	if p.n == p.s.failAfter {
		p.say(delay, proto.CloseFailed)
	}
}

// write writes what was said, each when it is due: acks overtake what comes later.
func (p *peer) write() {
	defer close(p.done)
	var seq int64
	var wait []later
	// Not a timer's channel: see pause.
	wake := make(chan struct{}, 1)
	timer := time.AfterFunc(0, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer timer.Stop()
	for {
		for len(wait) > 0 && !time.Now().Before(wait[0].at) {
			p.put(wait[0].m, &seq)
			wait = wait[1:]
		}
		if len(wait) > 0 {
			timer.Reset(time.Until(wait[0].at))
		}
		select {
		case l, ok := <-p.out:
			if !ok {
				p.ws.CloseNow()
				return
			}
			i, _ := slices.BinarySearchFunc(wait, l, func(a, b later) int { return 2*a.at.Compare(b.at) - 1 })
			wait = slices.Insert(wait, i, l)
		case <-wake:
		}
	}
}

func (p *peer) put(m any, seq *int64) {
	ctx := context.Background()
	if c, ok := m.(proto.Close); ok {
		p.ws.Close(websocket.StatusCode(c.Code), c.Reason)
		return
	}
	if q, ok := m.(proto.Sequenced); ok {
		*seq++
		*q.Number() = *seq
	}
	if a, ok := m.(*proto.AudioOut); ok && p.binary {
		p.ws.Write(ctx, websocket.MessageBinary, proto.AppendBinary(nil, a))
		return
	}
	p.ws.Write(ctx, websocket.MessageText, proto.Append(nil, m.(proto.Outbound)))
}
