package main

import (
	"strings"
	"testing"
	"time"

	"aila/proto"
)

func TestBadSessionOrdersAreAnswered(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	t.Run("start twice", func(t *testing.T) {
		p := s.joined(t)
		p.text(`{"type":"session_control","action":"start","id":"again"}`)
		if f := p.wantError(proto.AlreadyStarted); f.Ref != "again" {
			t.Errorf("error %+v, want it to answer again", f)
		}
		p.wantServed(2)
		other.wantUndisturbed(t)
	})
	t.Run("resume of a socket that has its session", func(t *testing.T) {
		p := s.joined(t)
		p.text(`{"type":"session_control","action":"resume","session_id":"x","token":"y","last_seq":0}`)
		p.wantError(proto.AlreadyStarted)
		p.wantServed(2)
		other.wantUndisturbed(t)
	})
	for _, early := range []string{
		`{"type":"session_control","action":"pause","seq":1,"id":"e"}`,
		`{"type":"session_control","action":"continue","seq":1,"id":"e"}`,
		`{"type":"session_control","action":"commit","seq":1,"id":"e"}`,
		`{"type":"session_control","action":"interrupt","seq":1,"id":"e"}`,
		`{"type":"session_control","action":"end","seq":1,"id":"e"}`,
		`{"type":"session_control","action":"refresh","token":"t","id":"e"}`,
		`{"type":"text","text":"hello","seq":1,"id":"e"}`,
		`{"type":"gap","samples":480,"reason":"muted","seq":1,"id":"e"}`,
		`{"type":"ack","seq":1}`,
		`{"type":"playback","item_id":"item_1","played_ms":1,"state":"done"}`,
	} {
		t.Run("before a start "+strings.Trim(early[8:min(len(early), 44)], `":,`), func(t *testing.T) {
			p := connect(t, s.addr)
			p.text(early)
			f := p.wantError(proto.NotStarted)
			if strings.Contains(early, `"id":"e"`) != (f.Ref == "e") {
				t.Errorf("error %+v, want ref e where it had an id", f)
			}
			p.text(`{"type":"session_control","action":"start"}`)
			want[*proto.SessionStarted](p)
			p.wantServed(1)
			other.wantUndisturbed(t)
		})
	}
	for _, row := range []struct {
		name, fields string
		code         proto.Code
		lists        string
	}{
		{"unknown voice", `,"voice":"nobody"`, proto.UnknownVoice, "voices are echo"},
		{"unknown encoding", `,"audio":{"encoding":"mp3"}`, proto.UnsupportedAudio, "supported are " + proto.FormatsSupported},
		{"odd rate", `,"audio":{"sample_rate":12345}`, proto.UnsupportedAudio, "supported are " + proto.FormatsSupported},
		{"six channels", `,"audio":{"channels":6}`, proto.UnsupportedAudio, "supported are " + proto.FormatsSupported},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := connect(t, s.addr)
			p.text(`{"type":"session_control","action":"start","id":"s"` + row.fields + `}`)
			if f := want[*proto.Fault](p); f.Code != row.code || !f.Fatal || !strings.HasPrefix(f.Message, row.lists) || f.Ref != "s" {
				t.Errorf("error %+v, want fatal %s: %s", f, row.code, row.lists)
			}
			p.wantClose(proto.CloseUnsupported)
			other.wantUndisturbed(t)
		})
	}
}

// Audio over the rate is refused once a hole, with the time after which the same frame passes.
func TestTooFastAudioIsLimitedOnceAHole(t *testing.T) {
	s := startServer(t, func(c *config) { c.MaxAudioRate = 2 })
	other := s.look(t)
	v := survive(t, s.addr)
	v.size = 48000 // a second
	v.converse(10) // all that the bucket holds
	if err := v.speak(5); err != nil {
		t.Fatal(err)
	}
	var refused *proto.Fault
	v.must("rate_limited", func(m proto.Outbound) bool { refused, _ = m.(*proto.Fault); return refused != nil })
	// The bucket held 10 s, and what came meanwhile at 2 a second.
	if refused.Code != proto.RateLimited || refused.ClientSeq < 11 || refused.ClientSeq > 16 ||
		refused.RetryAfterMS < 1 || refused.RetryAfterMS > 501 {
		t.Errorf("error %+v, want rate_limited of the 11th second or one soon after it, for at most 501 ms", *refused)
	}
	// What followed is dropped in silence: of what comes next only the pong is an answer.
	v.p.text(`{"type":"ping","id":"x"}`)
	v.must("pong", func(m proto.Outbound) bool { _, ok := m.(*proto.Pong); return ok })
	if len(v.errors) != 1 {
		t.Errorf("errors %+v, want one", v.errors)
	}
	// A gap of 10 s in its place costs all that the bucket can hold: refused, and said again.
	v.p.say(&proto.GapIn{Head: proto.Head{Seq: refused.ClientSeq}, Samples: 240_000, Reason: "muted"})
	v.must("a second refusal", func(m proto.Outbound) bool { f, ok := m.(*proto.Fault); return ok && f.ClientSeq == refused.ClientSeq })
	other.wantUndisturbed(t)
}

// A client that was away brings along what it recorded: that is not too fast.
func TestBacklogAfterAResumePasses(t *testing.T) {
	s := startServer(t, func(c *config) { c.MaxAudioRate = 1 })
	v := survive(t, s.addr)
	v.size = 48000
	v.converse(10) // all that the bucket holds
	v.p.rst()
	<-time.After(2 * time.Second) // what is tested is the time away
	v.asks()
	v.goesOn()
	if err := v.speak(2); err != nil {
		t.Fatal(err)
	}
	v.must("the backlog's echo", echoed(12))
	if len(v.errors) > 0 {
		t.Errorf("errors %+v, want none", v.errors)
	}
	v.end(0)
}

// converse says n frames, each when the one before it was heard.
func (v *survivor) converse(n int) {
	v.t.Helper()
	for range n {
		if err := v.speak(1); err != nil {
			v.t.Fatalf("speak: %v", err)
		}
		v.must("its echo", echoed(int64(len(v.said))))
	}
}
