package actors

import (
	"context"
	"flag"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aila/proto"
)

// How many random histories are played: fault 14 asks for the larger number (make faults).
const (
	quickHistories = 300
	allHistories   = 10_000
)

// Random histories of send, ack, cut, resume, duplicate, reorder, crash and goodbye: whatever
// happens, the client hears each of its frames once, in order, but for those that were named as
// lost, and the server's account is the model's.
func TestServerEqualsTheModel(t *testing.T) {
	histories := quickHistories
	if os.Getenv("FAULTS") != "" {
		histories = allHistories
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	set(t, "rapid.checks", strconv.Itoa(histories))
	set(t, "rapid.seed", strconv.FormatUint(seed, 10))
	set(t, "rapid.nofailfile", "true")
	g := startServer(t, Options{FaultInjection: true, Window: 256, controlRate: 1_000_000})
	var played, sent, lost, resumes int
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(t, rt, g)
		rt.Repeat(map[string]func(*rapid.T){
			"send":      m.send,
			"text":      m.text,
			"gap":       m.gap,
			"commit":    m.commit,
			"pause":     m.pause,
			"ack":       m.ack,
			"cut":       m.cut,
			"duplicate": m.duplicate,
			"reorder":   m.reorder,
			"crash":     m.crash,
			"goodbye":   func(*rapid.T) { g.hub.send(m.record().pid.Load(), depart{left: time.Minute}) },
		})
		m.finish()
		played++
		sent, lost, resumes = sent+len(m.said), lost+len(m.named), resumes+m.resumes
	})
	t.Logf("fault 14: L=0 D=0 O=0 in %d histories with %d messages, %d resumes, %d frames named as lost; repeat with SEED=%d",
		played, sent, resumes, lost, seed)
}

func set(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	old := f.Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, old) })
}

// model is a client that does everything by the book, and the account of what must come of it.
type model struct {
	t  *testing.T
	rt *rapid.T
	g  *Gateway
	w  *wire
	in proto.Inlet

	id, token string
	said      []message      // said[i] has seq i+1
	named     map[int64]bool // seqs that the server named as lost
	heard     []proto.Outbound
	acked     int
	onWire    int // how many messages of w were looked at
	ended     *proto.SessionEnded
	crashes   [len(children)]int
	paused    bool
	resumes   int
}

// message is one numbered message as it is sent, as often as it takes.
type message struct {
	make    func(seq int64) proto.Inbound
	samples int64
	audio   bool // it is to be echoed
	text    string
	paused  bool
}

func newModel(t *testing.T, rt *rapid.T, g *Gateway) *model {
	m := &model{t: t, rt: rt, g: g, w: newWire(), named: map[int64]bool{}, acked: 1}
	in, fault := g.Open(context.Background(), proto.Hello{Start: &proto.Start{}, Remote: "model"}, m.w)
	if fault != nil {
		rt.Fatalf("start: %v", fault)
	}
	m.in = in
	m.look()
	return m
}

func (m *model) record() *record { return m.g.hub.books.session(m.id) }

// say sends the next message; lost on the way are those that a cut takes with it.
func (m *model) say(msg message) {
	m.said = append(m.said, msg)
	m.deliver(int64(len(m.said)))
}

func (m *model) deliver(seq int64) {
	if err := m.in.Deliver(m.said[seq-1].make(seq)); err != nil {
		m.rt.Fatalf("deliver %d: %v", seq, err)
	}
}

func (m *model) frame() message {
	return message{audio: true, samples: 480, paused: m.paused, make: func(seq int64) proto.Inbound {
		a := proto.NewAudioIn()
		a.Seq, a.Data = seq, append(a.Data, make([]byte, 960)...)
		a.Data[0], a.Data[1] = byte(seq), byte(seq>>8)
		return a
	}}
}

func (m *model) send(rt *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(rt, "frames") {
		m.say(m.frame())
	}
}

func (m *model) text(*rapid.T) {
	word := "text " + strconv.Itoa(len(m.said)+1)
	m.say(message{text: word, make: func(seq int64) proto.Inbound {
		return &proto.TextIn{Head: proto.Head{Seq: seq}, Text: word}
	}})
}

func (m *model) gap(rt *rapid.T) {
	n := rapid.Int64Range(1, 48000).Draw(rt, "samples")
	m.say(message{samples: n, make: func(seq int64) proto.Inbound {
		return &proto.GapIn{Head: proto.Head{Seq: seq}, Samples: n, Reason: "muted"}
	}})
}

func (m *model) commit(*rapid.T) {
	m.say(message{make: func(seq int64) proto.Inbound { return &proto.Commit{Head: proto.Head{Seq: seq}} }})
}

// pause pauses, or continues.
func (m *model) pause(*rapid.T) {
	pausing := !m.paused
	m.paused = pausing
	m.say(message{make: func(seq int64) proto.Inbound {
		if pausing {
			return &proto.Pause{Head: proto.Head{Seq: seq}}
		}
		return &proto.Continue{Head: proto.Head{Seq: seq}}
	}})
}

// ack acknowledges what was heard, or a part of it.
func (m *model) ack(rt *rapid.T) {
	m.look()
	seq := rapid.IntRange(0, len(m.heard)).Draw(rt, "ack")
	m.acked = max(m.acked, seq)
	_ = m.in.Deliver(&proto.AckIn{Seq: int64(seq)})
}

// duplicate sends again what was sent.
func (m *model) duplicate(rt *rapid.T) {
	if len(m.said) == 0 {
		rt.Skip()
	}
	m.deliver(rapid.Int64Range(1, int64(len(m.said))).Draw(rt, "seq"))
}

// reorder sends a few messages in the wrong order: what comes early is refused, once, and
// sent again.
func (m *model) reorder(rt *rapid.T) {
	first := int64(len(m.said) + 1)
	n := rapid.Int64Range(2, 5).Draw(rt, "messages")
	for range n {
		m.said = append(m.said, m.frame())
	}
	for i := n - 1; i >= 0; i-- {
		m.deliver(first + i)
	}
	for i := range n {
		m.deliver(first + i)
	}
}

// crash panics a child, now or over its next message.
func (m *model) crash(rt *rapid.T) {
	i := rapid.IntRange(0, len(children)-1).Draw(rt, "child")
	if m.crashes[i] == maxRestarts {
		rt.Skip()
	}
	m.crashes[i]++
	if err := m.g.Crash(m.id, children[i], rapid.Bool().Draw(rt, "on frame")); err != nil {
		events, _ := m.g.Supervision(proto.EventQuery{Session: m.id})
		rt.Fatalf("crash: %v; %+v", err, events)
	}
}

// cut loses the socket, and with it some of what was said on either side, and resumes; now and
// then the answer to the resume is lost too, or the old socket is still there.
func (m *model) cut(rt *rapid.T) {
	m.look()
	// The client never got the last few messages.
	m.heard = m.heard[:len(m.heard)-rapid.IntRange(0, min(6, len(m.heard)-m.acked)).Draw(rt, "unheard")]
	m.acked = len(m.heard) // the resume says so
	// The server never got the next few.
	for range rapid.IntRange(0, 6).Draw(rt, "unsent") {
		m.said = append(m.said, m.frame())
	}
	if rapid.Bool().Draw(rt, "hangup") {
		m.in.Hangup(proto.Close{})
	}
	for range rapid.IntRange(1, 3).Draw(rt, "attempts") {
		m.resume()
	}
	m.w.mu.Lock()
	resumed := m.w.said[0].(*proto.SessionResumed)
	m.w.mu.Unlock()
	m.token = resumed.Resume.Token
	m.onWire = 1
	for seq := resumed.LastSeq + 1; seq <= int64(len(m.said)); seq++ {
		m.deliver(seq)
	}
}

func (m *model) resume() {
	w := newWire()
	in, fault := m.g.Open(context.Background(), proto.Hello{Remote: "model",
		Resume: &proto.Resume{SessionID: m.id, Token: m.token, LastSeq: int64(len(m.heard))}}, w)
	if fault != nil {
		m.rt.Fatalf("resume from %d: %v", len(m.heard), fault)
	}
	m.w, m.in = w, in
	m.resumes++
}

// look takes in what came: sequenced messages once and in order, whatever is sent twice.
func (m *model) look() {
	m.w.mu.Lock()
	fresh := m.w.said[m.onWire:]
	m.onWire = len(m.w.said)
	m.w.mu.Unlock()
	for _, msg := range fresh {
		switch msg := msg.(type) {
		case *proto.Fault:
			m.named[msg.ClientSeq] = m.named[msg.ClientSeq] || msg.Code == proto.ActorRestarted && msg.ClientSeq != 0
			if msg.Code != proto.ActorRestarted && msg.Code != proto.BadSeq {
				m.rt.Fatalf("error %v", msg)
			}
		case proto.Sequenced:
			m.take(msg)
		}
	}
}

func (m *model) take(msg proto.Sequenced) {
	seq := *msg.Number()
	if seq <= int64(len(m.heard)) {
		return // had
	}
	if seq != int64(len(m.heard)+1) {
		m.rt.Fatalf("server seq %d after %d", seq, len(m.heard))
	}
	m.heard = append(m.heard, msg)
	switch msg := msg.(type) {
	case *proto.SessionStarted:
		m.id, m.token = msg.SessionID, msg.Resume.Token
	case *proto.SessionEnded:
		m.ended = msg
	}
}

// finish ends the session and holds what came against what was said.
func (m *model) finish() {
	m.say(message{make: func(seq int64) proto.Inbound { return &proto.End{Head: proto.Head{Seq: seq}} }})
	for m.ended == nil { // the end itself may have met a crash that named it
		m.w.until(m.t, "the end", func() bool { return len(m.w.said) > m.onWire || len(m.w.closes) > 0 })
		m.look()
	}
	var in, lost int64
	var want []int64
	var words []string
	for i, msg := range m.said {
		seq := int64(i + 1)
		in += msg.samples
		switch {
		case msg.audio && m.lostSeqs()[seq]:
			lost += msg.samples
		case msg.audio && !msg.paused:
			want = append(want, seq)
		case msg.text != "":
			words = append(words, msg.text)
		}
	}
	if m.ended.SamplesIn != in || m.ended.SamplesLost != lost || m.ended.SamplesOut != int64(len(want))*480 {
		m.rt.Fatalf("session_ended %+v, want %d in, %d lost, %d out", m.ended, in, lost, len(want)*480)
	}
	m.compare(want, words)
}

// lostSeqs are the frames named as lost. An error is not sequenced, so a cut may have taken
// it; the gap that stands for the frame is, and says the same by its position.
func (m *model) lostSeqs() map[int64]bool {
	starts := map[int64]int64{}
	var pos int64
	for i, msg := range m.said {
		starts[pos] = int64(i + 1)
		if msg.samples == 0 {
			continue
		}
		pos += msg.samples
	}
	// Messages without samples share their position with the frame behind them.
	pos = 0
	for i, msg := range m.said {
		if msg.audio {
			starts[pos] = int64(i + 1)
		}
		pos += msg.samples
	}
	lost := map[int64]bool{}
	for _, h := range m.heard {
		if g, ok := h.(*proto.GapOut); ok && g.Reason == proto.GapRestarted {
			lost[starts[g.FromPos]] = true
		}
	}
	if orders := m.crashes[audioChild] + m.crashes[controlChild] + m.crashes[voiceChild]; len(lost) > orders {
		m.rt.Fatalf("%d frames lost by %d crashes", len(lost), orders)
	}
	for seq := range m.named {
		if m.named[seq] && m.said[seq-1].audio && !lost[seq] {
			m.rt.Fatalf("frame %d was named as lost and is no gap", seq)
		}
	}
	return lost
}

// compare holds the echoes and the words against what was said.
func (m *model) compare(want []int64, words []string) {
	for _, h := range m.heard {
		switch h := h.(type) {
		case *proto.AudioOut:
			if len(want) == 0 || h.Re != want[0] || h.Data[0] != byte(h.Re) || h.Data[1] != byte(h.Re>>8) {
				m.rt.Fatalf("heard the echo of %d, want %v first", h.Re, want[:min(3, len(want))])
			}
			want = want[1:]
		case *proto.Transcript:
			if len(words) == 0 || h.Text != words[0] {
				m.rt.Fatalf("heard %q, want %v first", h.Text, words[:min(3, len(words))])
			}
			words = words[1:]
		}
	}
	if len(want) != 0 || len(words) != 0 {
		m.rt.Fatalf("never heard: frames %v, words %v", want, words)
	}
}
