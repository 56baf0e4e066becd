package proto

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func ptr[T any](v T) *T { return &v }

// Each client message, field by field: a golden vector alone would not notice two fields
// that are swapped both ways.
func TestDecodeGivesTheMessage(t *testing.T) {
	for _, c := range []struct {
		wire string
		want Inbound
	}{
		{`{"type":"session_control","action":"start","id":"i","audio":{"encoding":"pcmu","sample_rate":8000,"channels":1},"voice":"v","binary":true,"metadata":{"a":"b","":"\u00e9"}}`,
			&Start{ID: "i", Audio: Format{"pcmu", 8000, 1}, Voice: "v", Binary: true, Metadata: map[string]string{"a": "b", "": "é"}}},
		{`{"type":"session_control","action":"start"}`, &Start{}},
		{`{"type":"session_control","action":"resume","id":"i","session_id":"s","token":"t","last_seq":7}`, &Resume{ID: "i", SessionID: "s", Token: "t", LastSeq: 7}},
		{`{"type":"session_control","action":"refresh","id":"i","token":"t"}`, &Refresh{ID: "i", Token: "t"}},
		{`{"type":"session_control","action":"pause","id":"i","seq":7}`, &Pause{Head{Seq: 7, ID: "i"}}},
		{`{"type":"session_control","action":"continue","id":"i","seq":7}`, &Continue{Head{Seq: 7, ID: "i"}}},
		{`{"type":"session_control","action":"commit","id":"i","seq":7}`, &Commit{Head{Seq: 7, ID: "i"}}},
		{`{"type":"session_control","action":"end","id":"i","seq":7}`, &End{Head{Seq: 7, ID: "i"}}},
		{`{"type":"session_control","action":"interrupt","id":"i","seq":7,"item_id":"x","played_ms":9}`, &Interrupt{Head{Seq: 7, ID: "i"}, "x", ptr(int64(9))}},
		{`{"type":"session_control","action":"interrupt"}`, &Interrupt{}},
		{`{"type":"audio_chunk","id":"i","seq":7,"data":"AAH/"}`, &AudioIn{Head: Head{Seq: 7, ID: "i"}, Data: []byte{0, 1, 255}}},
		{`{"type":"audio_chunk","id":"\u0069","seq":7,"data":"AAH\/"}`, &AudioIn{Head: Head{Seq: 7, ID: "i"}, Data: []byte{0, 1, 255}}},
		{`{"type":"gap","id":"i","seq":7,"samples":9,"reason":"muted"}`, &GapIn{Head{Seq: 7, ID: "i"}, 9, "muted"}},
		{`{"type":"text","id":"i","seq":7,"text":"w"}`, &TextIn{Head{Seq: 7, ID: "i"}, "w"}},
		{`{"type":"ack","seq":7}`, &AckIn{7}},
		{`{"type":"playback","item_id":"x","played_ms":9,"state":"done"}`, &Playback{"x", 9, "done"}},
		{`{"type":"ping","id":"i","t_ms":-9}`, &Ping{"i", ptr(int64(-9))}},
		{`{"type":"ping"}`, &Ping{}},
	} {
		got, err := Decode([]byte(c.wire))
		if err != nil {
			t.Errorf("%s: %v", c.wire, err)
		}
		if a, ok := got.(*AudioIn); ok {
			a.Data = slices.Clone(a.Data)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\ngot  %#v\nwant %#v", c.wire, got, c.want)
		}
	}
}

// The server's messages to the letter, as clients in other languages see them.
func TestAppendWritesTheMessage(t *testing.T) {
	s := Serial{7}
	grant := ResumeGrant{"t", 8}
	for _, c := range []struct {
		m    Outbound
		want string
	}{
		{&SessionStarted{s, "s", grant, Format{"pcm16", 24000, 1}, "v", "memory", Limits{1, 2.5, 3, 4, 5}, 6, "r"},
			`{"type":"session_started","seq":7,"session_id":"s","resume":{"token":"t","window_ms":8},"audio":{"encoding":"pcm16","sample_rate":24000,"channels":1},"voice":"v","durability":"memory","limits":{"max_message_bytes":1,"max_audio_rate":2.5,"replay_ms":3,"idle_ms":4,"session_ms":5},"heartbeat_ms":6,"ref":"r"}`},
		{&SessionResumed{"s", 1, Range{2, 3}, grant, "r"}, `{"type":"session_resumed","session_id":"s","last_seq":1,"replay":{"from":2,"to":3},"resume":{"token":"t","window_ms":8},"ref":"r"}`},
		{&SessionState{s, Speaking, "i", 3, "r"}, `{"type":"session_state","seq":7,"state":"speaking","item_id":"i","item":3,"ref":"r"}`},
		{&SessionState{Serial: s, State: Listening}, `{"type":"session_state","seq":7,"state":"listening"}`},
		{&SessionEnded{s, EndIdle, 1, 2, 3, 4, 5}, `{"type":"session_ended","seq":7,"reason":"idle","duration_ms":1,"samples_in":2,"samples_out":3,"samples_lost":4,"restarts":5}`},
		{&AudioOut{s, []byte{0, 1, 255}, "i", 3, 4, 5}, `{"type":"audio_chunk","seq":7,"item_id":"i","pos":4,"re":5,"data":"AAH/"}`},
		{&AudioOut{Serial: s}, `{"type":"audio_chunk","seq":7,"item_id":"","pos":0,"data":""}`},
		{&AudioOut{Serial: s, ItemID: "a\"b\\c\n\xff<é"}, `{"type":"audio_chunk","seq":7,"item_id":"a\"b\\c\n` + "\ufffd<é" + `","pos":0,"data":""}`},
		{&AudioEnd{s, "i", 3}, `{"type":"audio_end","seq":7,"item_id":"i","samples":3}`},
		{&SpeechStarted{s, 0}, `{"type":"speech_started","seq":7,"pos":0}`},
		{&SpeechStopped{s, 3}, `{"type":"speech_stopped","seq":7,"pos":3}`},
		{&Interrupted{s, "i", "client"}, `{"type":"interrupted","seq":7,"item_id":"i","reason":"client"}`},
		{&Transcript{s, "i", "voice", "w\xff", false}, `{"type":"transcript","seq":7,"item_id":"i","role":"voice","text":"w` + "\ufffd" + `","final":false}`},
		{&GapOut{s, 1, 2, GapPaused}, `{"type":"gap","seq":7,"from_pos":1,"to_pos":2,"reason":"paused"}`},
		{&Notice{s, "crisis", "w"}, `{"type":"notice","seq":7,"kind":"crisis","text":"w"}`},
		{&AckOut{1, 2}, `{"type":"ack","seq":1,"pos":2}`},
		{&GoAway{"drain", 1, "end"}, `{"type":"goaway","reason":"drain","time_left_ms":1,"action":"end"}`},
		{&Fault{BadSeq, "m", false, "r", 1, 2}, `{"type":"error","code":"bad_seq","message":"m","fatal":false,"ref":"r","client_seq":1,"retry_after_ms":2}`},
		{&Fault{Code: Internal, Fatal: true}, `{"type":"error","code":"internal","message":"","fatal":true}`},
		{&Pong{"i", ptr(int64(0)), 2}, `{"type":"pong","id":"i","t_ms":0,"server_ms":2}`},
		{&Pong{ServerMS: 2}, `{"type":"pong","server_ms":2}`},
	} {
		got := Append([]byte("before"), c.m)
		if string(got) != "before"+c.want {
			t.Errorf("got  %s\nwant before%s", got, c.want)
		}
	}
}

// A Refused is decoded, never said.
func TestAppendInboundSaysNothingForARefused(t *testing.T) {
	if got := AppendInbound([]byte("x"), &Refused{}); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

// A refused audio frame must not lose its buffer, nor hand it out twice.
func TestBadAudioGivesItsBufferBack(t *testing.T) {
	first := NewAudioIn()
	first.Data = append(first.Data, 1, 2, 3)
	first.Release()
	for range 100 {
		if m, _ := Decode([]byte(`{"type":"audio_chunk","seq":5,"data":"AB=="}`)); m.(*Refused).Fault.Code != BadAudio {
			t.Fatal(m)
		}
	}
	a, b := NewAudioIn(), NewAudioIn()
	if a == b || a.Seq != 0 || len(a.Data) != 0 || a.ID != "" {
		t.Errorf("from the pool: %+v and %+v", a, b)
	}
}

// The sealed sets and the tables are the same: whoever adds a message is told what is missing.
func TestTheTablesNameEveryMessage(t *testing.T) {
	sealed := methodReceivers(t)
	inTable := map[string][]string{}
	for _, k := range inboundKinds {
		inTable["inbound"] = append(inTable["inbound"], reflect.TypeOf(k.of).Elem().Name())
	}
	for _, k := range outboundKinds {
		inTable["outbound"] = append(inTable["outbound"], reflect.TypeOf(k.make()).Elem().Name())
	}
	for method, got := range inTable {
		want := sealed[method]
		if method == "inbound" {
			want = slices.DeleteFunc(want, func(name string) bool { return name == "Refused" })
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("table of %s:\ngot  %v\nwant %v", method, got, want)
		}
	}
	if len(inboundByName) != len(inboundKinds) || len(outboundByName) != len(outboundKinds) {
		t.Error("a name is there twice")
	}
}

// methodReceivers gives, for each method without a body's worth of code that seals a set, the
// types that have it.
func methodReceivers(t *testing.T) map[string][]string {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
				found[fn.Name.Name] = append(found[fn.Name.Name], star.X.(*ast.Ident).Name)
			}
		}
	}
	return found
}

func TestClientsTakeNoHarmFromAServer(t *testing.T) {
	for _, wire := range []string{``, `[]`, `{}`, `{"type":7}`, `{"type":"ack","seq":"x"}`, `{"type":"audio_chunk","data":"AB=="}`, `{"type":"audio_chunk","data":7}`, "{\"type\":\"\xff\"}"} {
		if m, err := DecodeOutbound([]byte(wire)); err == nil || m != nil {
			t.Errorf("%s: got %v, %v; want an error alone", wire, m, err)
		}
	}
	if a, err := DecodeOutboundBinary(make([]byte, 15), 1); err == nil || a != nil {
		t.Errorf("short binary: got %v, %v", a, err)
	}
}
