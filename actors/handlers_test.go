package actors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"runtime"
	"testing"
	"time"

	"aila/proto"
)

// everyInbound is one of each message that a client may say. A new message is added here, and
// the test below fails until an actor handles it.
var everyInbound = []proto.Inbound{
	&proto.AudioIn{Data: make([]byte, 960)}, &proto.GapIn{Samples: 1, Reason: "muted"}, &proto.TextIn{Text: "x"},
	&proto.AckIn{}, &proto.Playback{ItemID: "item_1"}, &proto.Start{}, &proto.Resume{}, &proto.Refresh{}, &proto.Refused{},
	&proto.Pause{}, &proto.Continue{}, &proto.Commit{}, &proto.Interrupt{}, &proto.End{},
}

// answeredBySocket are the messages that never come to a session.
var answeredBySocket = map[string]bool{"Ping": true}

func TestEveryMessageHasAHandler(t *testing.T) {
	known := map[string]bool{}
	for _, m := range everyInbound {
		known[reflect.TypeOf(m).Elem().Name()] = true
	}
	for _, name := range inboundTypes(t) {
		if !known[name] && !answeredBySocket[name] {
			t.Errorf("proto.%s is not in everyInbound: which actor handles it?", name)
		}
	}
	r := newRig(t, Options{}, &proto.Start{})
	r.deliverAudio(0)
	next[*proto.AudioOut](t, r.w) // the voice is there: from here on all is done on this goroutine
	r.deliver(&proto.Playback{})
	for _, m := range everyInbound {
		before := r.g.hub.tally.unhandled.Load()
		r.deliver(m)
		if r.g.hub.tally.unhandled.Load() != before {
			t.Errorf("%T has no handler", m)
			r.g.hub.tally.unhandled.Store(before)
		}
		if _, ok := m.(*proto.End); !ok && !gaveCreditsBack(r) {
			t.Errorf("%T did not give its credit back", m)
		}
	}
	r.w.closed(t)
}

// gaveCreditsBack waits for whichever goroutine is at the session.
func gaveCreditsBack(r *rig) bool {
	credits := &r.g.hub.books.session(r.started.SessionID).credits
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if credits.left.Load() == int64(r.g.hub.opts.Window) {
			return true
		}
	}
	return false
}

func TestAMessageWithoutAHandlerIsNoticed(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for _, kid := range []string{"", "/audio", "/control", "/voice"} {
		r.g.hub.send(r.g.hub.system.NewLocalPID(managerName+"/"+r.started.SessionID+kid), "not a message of ours")
	}
	if n := r.g.hub.tally.unhandled.Swap(0); n != 4 {
		t.Errorf("%d messages without a handler were noticed, want 4", n)
	}
}

// inboundTypes reads the sealed set from proto's source: the receivers of inbound().
func inboundTypes(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../proto/inbound.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Name.Name == "inbound" && f.Recv != nil {
			names = append(names, f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
		}
	}
	if len(names) < 10 {
		t.Fatalf("found only %v", names)
	}
	return names
}
