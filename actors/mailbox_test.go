package actors

import (
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"aila/proto"
)

func eventsOf(name string) proto.EventQuery { return proto.EventQuery{Event: name} }

// Many goroutines post at once; the actor handles every message once, one at a time, each
// poster's in order, and a crash in between costs only the message in hand.
func TestMailboxIsOneAtATimeAndInOrder(t *testing.T) {
	const posters, each = 8, 5000
	h := newHub(Options{}.withDefaults())
	defer h.system.Shutdown()
	type post struct{ from, n int }
	var last [posters]int
	var handled, inside int // no lock: the mailbox is what keeps the race detector quiet
	pid := h.system.Root.Spawn(h.props(new(box), "x", "x", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			p, ok := ctx.Message().(post)
			if !ok {
				return
			}
			if inside++; inside != 1 {
				t.Error("two messages at once")
			}
			if p.n != last[p.from]+1 {
				t.Errorf("poster %d: %d after %d", p.from, p.n, last[p.from])
			}
			last[p.from] = p.n
			handled++
			inside--
		})
	}))
	var all sync.WaitGroup
	for from := range posters {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range each {
				h.send(pid, post{from, n + 1})
			}
		}()
	}
	all.Wait()
	// The last posters may have left their messages to a goroutine that is still at it.
	done := make(chan struct{})
	h.system.Root.Send(pid, "flush")
	h.system.Root.Poison(pid)
	go func() { _ = h.system.Root.PoisonFuture(pid).Wait(); close(done) }()
	<-done
	if handled != posters*each {
		t.Errorf("%d messages handled, want %d", handled, posters*each)
	}
}

func TestQueueKeepsOrderAndGivesItsMemoryBack(t *testing.T) {
	var q queue
	next := 0
	for round := range 50 {
		for i := range round * 7 {
			q.push(i)
		}
		for i := range round * 7 {
			if got := q.pop(); got != i {
				t.Fatalf("round %d: popped %v, want %d", round, got, i)
			}
			next++
		}
	}
	if cap(q.ring) > keepRing {
		t.Errorf("an empty queue keeps %d slots", cap(q.ring))
	}
}

func TestReplayKeepsWhatIsNotAcknowledged(t *testing.T) {
	r := replay{first: 1}
	data := make([]byte, 960)
	var want []string
	for seq := int64(1); seq <= 500; seq++ {
		var e entry
		switch {
		case seq%7 == 0:
			e = r.keep(&proto.AudioEnd{Serial: proto.Serial{Seq: seq}, ItemID: "i"})
		case seq%50 == 1: // larger than a slab
			e = r.keepAudio(&proto.AudioOut{Serial: proto.Serial{Seq: seq}, ItemID: "i", Data: make([]byte, 40000)}, 20000, seq%2 == 0)
		default:
			data[0] = byte(seq)
			e = r.keepAudio(&proto.AudioOut{Serial: proto.Serial{Seq: seq}, ItemID: "i", Data: data}, 480, seq%2 == 0)
		}
		want = append(want, string(e.data))
		if seq%16 == 0 {
			r.forget(seq - 5)
		}
	}
	last := int64(500 - 500%16 - 5)
	i := last
	r.from(last, func(e entry) {
		if string(e.data) != want[i] {
			t.Fatalf("message %d changed while it was kept", i+1)
		}
		i++
	})
	if i != 500 || r.last() != 500 || r.first != last+1 {
		t.Errorf("kept up to %d (last %d, first %d), want 500 from %d", i, r.last(), r.first, last+1)
	}
	r.release()
	if r.bytes != 0 || r.samples != 0 || r.n != 0 || r.slab != nil {
		t.Errorf("after release: %d bytes, %d samples, %d messages", r.bytes, r.samples, r.n)
	}
}
