package actors

import (
	"strings"
	"testing"

	"aila/proto"
)

func TestEchoAnswersEachFrameOnceInOrder(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{ID: "s1"})
	if r.started.Ref != "s1" || r.started.Seq != 1 || r.started.Voice != "echo" || r.started.Audio != proto.DefaultFormat {
		t.Fatalf("session_started %+v", r.started)
	}
	for range 40 {
		r.echoes(r.audio())
	}
	r.deliver(&proto.End{Head: r.head("bye")})
	end := next[*proto.AudioEnd](t, r.w)
	ended := next[*proto.SessionEnded](t, r.w)
	if end.Samples != 40*480 || ended.SamplesIn != 40*480 || ended.SamplesOut != 40*480 || ended.SamplesLost != 0 || ended.Reason != proto.EndClient {
		t.Errorf("audio_end %+v, session_ended %+v", end, ended)
	}
	if c := r.w.closed(t); c != proto.CloseEnded {
		t.Errorf("closed with %v", c)
	}
	if err := r.in.Deliver(&proto.Commit{}); err != proto.ErrClosed {
		t.Errorf("Deliver after the end: %v, want ErrClosed", err)
	}
	if page, _ := r.g.Sessions(proto.SessionQuery{}); len(page) != 0 {
		t.Errorf("the session is still listed: %+v", page)
	}
}

func TestAckNamesWhatWasHeard(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for range 16 {
		r.audio()
	}
	if a := next[*proto.AckOut](t, r.w); a.Seq != 16 || a.Pos != 16*480 {
		t.Errorf("ack %+v, want seq 16 at %d", a, 16*480)
	}
}

func TestUnnumberedSessionCountsItsFrames(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for range 16 {
		r.deliverAudio(0)
	}
	for i := range 16 {
		if a := next[*proto.AudioOut](t, r.w); a.Re != int64(i+1) {
			t.Fatalf("echo of %d, want %d", a.Re, i+1)
		}
	}
	if a := next[*proto.AckOut](t, r.w); a.Seq != 16 {
		t.Errorf("ack of %d, want 16", a.Seq)
	}
	r.deliverAudio(5)
	if f := next[*proto.Fault](t, r.w); f.Code != proto.BadSeq {
		t.Errorf("a seq in an unnumbered session: %v", f)
	}
}

// The 50 frames behind a refused one are heard once, in order, when it comes mended.
func TestRefusedFrameLeavesAHoleUntilItComesAgain(t *testing.T) {
	for _, row := range []struct {
		name   string
		refuse func(r *rig, h proto.Head)
		code   proto.Code
	}{
		{"bad base64", func(r *rig, h proto.Head) {
			r.deliver(&proto.Refused{Head: h, Numbered: true, Fault: proto.Fault{Code: proto.BadAudio}})
		}, proto.BadAudio},
		{"odd bytes", func(r *rig, h proto.Head) { r.deliver(&proto.AudioIn{Head: h, Data: make([]byte, 961)}) }, proto.BadAudio},
		{"too short", func(r *rig, h proto.Head) { r.deliver(&proto.AudioIn{Head: h, Data: make([]byte, 100)}) }, proto.BadAudio},
		{"bad field", func(r *rig, h proto.Head) {
			r.deliver(&proto.Refused{Head: h, Numbered: true, Fault: proto.Fault{Code: proto.BadField}})
		}, proto.BadField},
		{"long gap", func(r *rig, h proto.Head) { r.deliver(&proto.GapIn{Head: h, Samples: 24000 * 121, Reason: "muted"}) }, proto.BadField},
		{"skipped", func(*rig, proto.Head) {}, proto.BadSeq},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, Options{Window: 128}, &proto.Start{})
			r.audio()
			bad := r.head("f2")
			row.refuse(r, bad)
			for seq := int64(3); seq <= 52; seq++ {
				r.deliverAudio(seq)
			}
			r.echoes(1)
			f := next[*proto.Fault](t, r.w)
			if f.Code != row.code {
				t.Fatalf("refused with %v, want %s", f, row.code)
			}
			if f.Code == proto.BadSeq && !strings.Contains(f.Message, "2") {
				t.Errorf("bad_seq does not name the expected number: %q", f.Message)
			}
			if f.Code != proto.BadSeq && (f.ClientSeq != 2 || f.Ref != "f2" && f.Ref != "") {
				t.Errorf("error %+v, want client_seq 2", f)
			}
			for seq := int64(2); seq <= 52; seq++ {
				r.deliverAudio(seq)
				r.echoes(seq)
			}
			r.w.mu.Lock()
			defer r.w.mu.Unlock()
			for _, m := range r.w.said {
				if f, ok := m.(*proto.Fault); ok {
					t.Errorf("a second error: %v", f)
				}
			}
		})
	}
}

func TestHoleIsMendedByAGap(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.deliver(&proto.Refused{Head: r.head(""), Numbered: true, Fault: proto.Fault{Code: proto.BadAudio}})
	r.deliver(&proto.GapIn{Head: proto.Head{Seq: 1}, Samples: 480, Reason: "overflow"})
	r.seq = 1
	r.echoes(r.audio())
	if v, _ := r.g.Session(r.started.SessionID); v.SamplesIn != 960 || v.SamplesLost != 0 {
		t.Errorf("%d samples in, %d lost; want 960 and 0", v.SamplesIn, v.SamplesLost)
	}
}

func TestDuplicateIsAcknowledgedAndNotHeardTwice(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for range 3 {
		r.audio()
	}
	r.deliverAudio(2)
	r.deliverAudio(3)
	r.seq = 3
	r.audio()
	r.echoes(1, 2, 3, 4)
	if a := next[*proto.AckOut](t, r.w); a.Seq != 4 || a.Pos != 4*480 {
		t.Errorf("ack %+v", a)
	}
}

func TestBadSeqThatIsNoNumberIsAlwaysAnswered(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for range 3 {
		r.deliver(&proto.Refused{Numbered: true, BadSeq: true, Fault: proto.Fault{Code: proto.BadSeq}})
		if f := next[*proto.Fault](t, r.w); f.Code != proto.BadSeq || !strings.Contains(f.Message, "1") {
			t.Fatalf("answer %v", f)
		}
	}
}

func TestMissingSeqInANumberedSession(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.echoes(r.audio())
	r.deliverAudio(0)
	if f := next[*proto.Fault](t, r.w); f.Code != proto.BadSeq || !strings.Contains(f.Message, "2") {
		t.Fatalf("answer %v", f)
	}
	r.echoes(r.audio())
}

func TestSecondStartAndResumeOnOneSocket(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.deliver(&proto.Start{ID: "again"})
	if f := next[*proto.Fault](t, r.w); f.Code != proto.AlreadyStarted || f.Ref != "again" || f.Fatal {
		t.Errorf("second start: %+v", f)
	}
	r.deliver(&proto.Resume{})
	if f := next[*proto.Fault](t, r.w); f.Code != proto.AlreadyStarted {
		t.Errorf("resume in a session: %+v", f)
	}
	r.echoes(r.audio())
}

func TestAckBeyondWhatWasSent(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.deliver(&proto.AckIn{Seq: 2})
	if f := next[*proto.Fault](t, r.w); f.Code != proto.BadField || !strings.Contains(f.Message, "seq") {
		t.Errorf("answer %v", f)
	}
	r.deliver(&proto.AckIn{Seq: 1})
	r.deliver(&proto.AckIn{Seq: 0}) // going back is ignored
	r.echoes(r.audio())
}

func TestTooManyErrorsCloseTheSocket(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for range 21 {
		r.deliver(&proto.Refused{Fault: proto.Fault{Code: proto.BadJSON}})
	}
	if c := r.w.closed(t); c != proto.CloseTooManyErrors {
		t.Errorf("closed with %v", c)
	}
	if err := r.in.Deliver(&proto.AckIn{}); err != proto.ErrClosed {
		t.Errorf("Deliver after the close: %v", err)
	}
}

func TestCommitActsBetweenTheFramesAroundIt(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.audio()
	r.audio()
	r.deliver(&proto.Commit{Head: r.head("")})
	r.audio()
	r.echoes(1, 2)
	if end := next[*proto.AudioEnd](t, r.w); end.Samples != 960 {
		t.Errorf("the item ended after %d samples, want 960", end.Samples)
	}
	a := next[*proto.AudioOut](t, r.w)
	if a.Re != 4 || a.Pos != 0 {
		t.Errorf("after the commit: %+v, want frame 4 at 0 of a new item", a)
	}
}

func TestPauseHoldsAndContinueSaysTheGap(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.echoes(r.audio())
	r.deliver(&proto.Pause{Head: r.head("p")})
	next[*proto.AudioEnd](t, r.w)
	for {
		s := next[*proto.SessionState](t, r.w)
		if s.State == proto.Paused {
			if s.Ref != "p" {
				t.Errorf("paused without its ref: %+v", s)
			}
			break
		}
	}
	for range 5 {
		r.audio()
	}
	r.deliver(&proto.TextIn{Head: r.head(""), Text: "typed while paused"})
	r.deliver(&proto.Continue{Head: r.head("c")})
	gap := next[*proto.GapOut](t, r.w)
	if gap.FromPos != 480 || gap.ToPos != 6*480 || gap.Reason != proto.GapPaused {
		t.Errorf("gap %+v", gap)
	}
	if s := next[*proto.SessionState](t, r.w); s.State != proto.Listening || s.Ref != "c" {
		t.Errorf("state after continue: %+v", s)
	}
	if tr := next[*proto.Transcript](t, r.w); tr.Text != "typed while paused" || tr.Role != "voice" || !tr.Final {
		t.Errorf("what was held: %+v", tr)
	}
	r.echoes(r.audio())
	if v, _ := r.g.Session(r.started.SessionID); v.SamplesLost != 0 || v.SamplesIn != 7*480 {
		t.Errorf("%d in, %d lost", v.SamplesIn, v.SamplesLost)
	}
}

func TestInterruptEndsTheItemAndIgnoresOthers(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.audio()
	item := next[*proto.AudioOut](t, r.w).ItemID
	r.deliver(&proto.Interrupt{Head: r.head(""), ItemID: "item_99"})
	r.echoes(r.audio())
	r.deliver(&proto.Interrupt{Head: r.head(""), ItemID: item})
	if i := next[*proto.Interrupted](t, r.w); i.ItemID != item || i.Reason != "client" {
		t.Errorf("interrupted %+v", i)
	}
	if e := next[*proto.AudioEnd](t, r.w); e.ItemID != item || e.Samples != 960 {
		t.Errorf("audio_end %+v", e)
	}
	r.echoes(r.audio())
}

func TestRateLimitSaysHowLongToWait(t *testing.T) {
	r := newRig(t, Options{MaxAudioRate: 2}, &proto.Start{})
	r.frame = make([]byte, 48000) // a second
	for range 11 {
		r.audio()
	}
	f := next[*proto.Fault](t, r.w)
	if f.Code != proto.RateLimited || f.RetryAfterMS <= 0 || f.RetryAfterMS > 501 || f.ClientSeq != 11 {
		t.Errorf("answer %+v", f)
	}
}

func TestFormatsAndVoicesAreChecked(t *testing.T) {
	g := startServer(t, Options{})
	for _, row := range []struct {
		start proto.Start
		code  proto.Code
		names string
	}{
		{proto.Start{Audio: proto.Format{Encoding: "mp3", SampleRate: 44100, Channels: 2}}, proto.UnsupportedAudio, "pcm16"},
		{proto.Start{Audio: proto.Format{Encoding: "pcmu", SampleRate: 16000, Channels: 1}}, proto.UnsupportedAudio, "pcmu"},
		{proto.Start{Voice: "nobody"}, proto.UnknownVoice, "echo"},
	} {
		_, f := g.Open(t.Context(), proto.Hello{Start: &row.start}, newWire())
		if f == nil || f.Code != row.code || !f.Fatal || !strings.Contains(f.Message, row.names) || f.Code.Close().Code != 1008 {
			t.Errorf("start %+v: %v", row.start, f)
		}
	}
}

func TestNoMoreSessionsThanAllowed(t *testing.T) {
	g := startServer(t, Options{MaxSessions: 1})
	r := join(t, g, &proto.Start{})
	if g.Accepting() {
		t.Error("Accepting while full")
	}
	_, f := g.Open(t.Context(), proto.Hello{Start: &proto.Start{}}, newWire())
	if f == nil || f.Code != proto.Overloaded || f.RetryAfterMS <= 0 || !f.Fatal {
		t.Fatalf("a second session: %v", f)
	}
	r.deliver(&proto.End{Head: r.head("")})
	r.w.closed(t)
	join(t, g, &proto.Start{})
}
