package actors

import (
	"context"
	"strings"
	"testing"

	"aila/proto"
)

func TestResumeSendsAgainWhatWasNotAcknowledged(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	for range 10 {
		r.audio()
	}
	r.echoes(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	r.w.mu.Lock()
	before := append([]string(nil), r.w.raw...)
	r.w.mu.Unlock()
	r.in.Hangup(proto.Close{})
	if v, _ := r.g.Session(r.started.SessionID); v.Attached || v.State != proto.Waiting {
		t.Errorf("after the hangup: %+v", v)
	}
	old := r.in
	if f := r.resume(r.started.Resume.Token, 5); f != nil {
		t.Fatal(f)
	}
	if err := old.Deliver(&proto.AckIn{}); err != proto.ErrClosed {
		t.Errorf("Deliver by the old socket: %v", err)
	}
	resumed := next[*proto.SessionResumed](t, r.w)
	if resumed.LastSeq != 10 || resumed.Replay.From != 6 || resumed.Replay.To != 12 || resumed.Resume.Token == r.started.Resume.Token {
		t.Errorf("session_resumed %+v", resumed)
	}
	r.w.mu.Lock()
	var want []string
	for _, raw := range before {
		if strings.Contains(raw, `"seq":`) && !strings.Contains(raw, `"ack"`) {
			want = append(want, raw)
		}
	}
	if got := r.w.raw[1:]; strings.Join(got, "\n") != strings.Join(want[5:], "\n") {
		t.Errorf("replayed %d messages, want the %d after seq 5, unchanged", len(got), len(want[5:]))
	}
	r.w.mu.Unlock()
	r.deliverAudio(9) // sent again, and already there
	r.deliverAudio(10)
	r.echoes(4, 5, 6, 7, 8, 9, 10) // the replay
	r.echoes(r.audio())
}

func TestResumeRefusalsAreOneAnswer(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.echoes(r.audio())
	token := r.started.Resume.Token
	if f := r.resume(token, 1); f != nil {
		t.Fatal(f)
	}
	first := next[*proto.SessionResumed](t, r.w).Resume.Token
	r.audio() // heard on the new socket: the token before it is void
	r.echoes(1, 2)
	want := r.resume(token, 1)
	if want == nil || want.Code != proto.ResumeRefused {
		t.Fatalf("a token used before: %v", want)
	}
	if ev, _ := r.g.Supervision(proto.EventQuery{Event: proto.EvTokenReused}); len(ev) != 1 {
		t.Errorf("%d token_reused events, want 1", len(ev))
	}
	try := func(id, token, subject string, last int64) *proto.Fault {
		_, f := r.g.Open(context.Background(), proto.Hello{Subject: subject,
			Resume: &proto.Resume{SessionID: id, Token: token, LastSeq: last}}, newWire())
		return f
	}
	for name, f := range map[string]*proto.Fault{
		"unknown session": try("nope", first, "", 1),
		"wrong token":     try(r.started.SessionID, "guess", "", 1),
		"foreign subject": try(r.started.SessionID, first, "mallory", 1),
		"beyond sent":     try(r.started.SessionID, first, "", 1000),
	} {
		if f == nil || *f != *want {
			t.Errorf("%s: %+v, want %+v", name, f, want)
		}
	}
	r.echoes(r.audio()) // none of them did harm
}

func TestTokenBeforeTheNewestServesALostAnswer(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	token := r.started.Resume.Token
	for range 3 { // the answers are lost: the client only has its first token
		if f := r.resume(token, 1); f != nil {
			t.Fatal(f)
		}
	}
	r.echoes(r.audio())
}

// A message that the old socket had delivered is handled only after the new one was attached:
// it does not show that the client has the new token.
func TestLateMessageOfTheOldSocketSparesTheToken(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	token := r.started.Resume.Token
	for range 3 { // the answers are lost
		if f := r.resume(token, 1); f != nil {
			t.Fatal(f)
		}
		r.g.hub.books.session(r.started.SessionID).tellClient(&proto.AckIn{Seq: 1})
	}
	r.echoes(r.audio())
	r.in.Hangup(proto.Close{})
	if f := r.resume(token, 1); f == nil {
		t.Error("a token is good although the client has spoken with its successor")
	}
}

func TestTakeoverClosesTheOldSocket(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	old, oldIn := r.w, r.in
	if f := r.resume(r.started.Resume.Token, 1); f != nil {
		t.Fatal(f)
	}
	if c := old.closed(t); c != proto.CloseTakenOver {
		t.Errorf("the old socket closed with %v", c)
	}
	oldIn.Hangup(proto.Close{}) // comes late and does no harm
	r.echoes(r.audio())
}

func TestEndedSessionCanBeFetched(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.echoes(r.audio())
	r.deliver(&proto.End{Head: r.head("")})
	next[*proto.SessionEnded](t, r.w)
	if f := r.resume(r.started.Resume.Token, 3); f != nil {
		t.Fatal(f)
	}
	if e := next[*proto.SessionEnded](t, r.w); e.Reason != proto.EndClient {
		t.Errorf("fetched %+v", e)
	}
	if c := r.w.closed(t); c != proto.CloseEnded {
		t.Errorf("closed with %v", c)
	}
}

func TestReplayGone(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.frame = make([]byte, 48000) // a second
	for range 40 {
		r.echoes(r.audio())
	}
	if v, _ := r.g.Session(r.started.SessionID); v.ReplayBytes > 33*65000 {
		t.Errorf("%d bytes are kept", v.ReplayBytes)
	}
	if f := r.resume(r.started.Resume.Token, 1); f == nil || f.Code != proto.ReplayGone || f.Code.Close() != proto.CloseResumeRefused {
		t.Errorf("a resume from before what is kept: %v", f)
	}
	if f := r.resume(r.started.Resume.Token, 40); f != nil {
		t.Errorf("a resume from what is kept: %v", f)
	}
}
