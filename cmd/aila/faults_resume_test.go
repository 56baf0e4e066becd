package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aila/proto"
)

// guarded is a server that knows its clients by their tokens; bearer makes the header of one.
func guarded(t *testing.T, turn func(*config)) (s *server, bearer func(subject string) string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(strings.Repeat("s", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, func(c *config) {
		c.Auth, c.AuthSecretFile = authToken, file
		turn(c)
	})
	tokens, err := readTokens(file)
	if err != nil {
		t.Fatal(err)
	}
	return s, func(subject string) string {
		token, err := tokens.Mint(subject, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + token
	}
}

// knock asks for a session on a new socket and gives all that comes back, to the letter.
func knock(t *testing.T, addr string, r proto.Resume, headers ...string) (answer string) {
	t.Helper()
	p := connect(t, addr, headers...)
	p.say(&r)
	p.wait()
	for {
		head, b, err := p.read()
		if errors.Is(err, io.EOF) {
			return answer
		}
		if err != nil {
			t.Fatalf("waiting for the end of a refusal: %v", err)
		}
		answer += fmt.Sprintf("%x %q\n", head, b)
	}
}

// refused is the one answer to every resume that is refused, and gone that to one from before
// what is kept.
var (
	refused = answered(proto.ResumeRefused, proto.ResumeRefusedMessage)
	gone    = answered(proto.ReplayGone, "what this client lacks is no longer kept")
)

func answered(code proto.Code, message string) string {
	fault := proto.Append(nil, &proto.Fault{Code: code, Message: message, Fatal: true})
	c := proto.CloseResumeRefused
	return fmt.Sprintf("%x %q\n%x %q\n", textFrame, fault, closeFrame, append([]byte{byte(c.Code >> 8), byte(c.Code)}, c.Reason...))
}

// An attacker with a used, guessed or foreign token learns nothing and gets no audio.
func TestRefusedResumesAreAnsweredAlikeToTheLetter(t *testing.T) {
	s, bearer := guarded(t, func(c *config) { c.ResumeWindow = time.Second })
	alice, bob := bearer("alice"), bearer("bob")
	v := survive(t, s.addr, alice)
	v.converse(3)
	first := v.token
	v.resume() // the old socket is taken over; what was said on the new one makes first a used token
	other := survive(t, s.addr, alice)
	ended := survive(t, s.addr, alice)
	ended.converse(1)
	ended.end(0)

	rows := []struct {
		name   string
		who    string
		change func(*proto.Resume)
	}{
		{"unknown session", alice, func(r *proto.Resume) { r.SessionID = "01arz3ndektsv4rrffq69g5fav" }},
		{"no name of a session", alice, func(r *proto.Resume) { r.SessionID = "../../x" }},
		{"another session's name", alice, func(r *proto.Resume) { r.SessionID = other.id }},
		{"another session's token", alice, func(r *proto.Resume) { r.Token = other.token }},
		{"an ended session's name", alice, func(r *proto.Resume) { r.SessionID = ended.id }},
		{"wrong token", alice, func(r *proto.Resume) { r.Token = strings.Repeat("A", len(r.Token)) }},
		{"nearly the token", alice, func(r *proto.Resume) { r.Token = r.Token[1:] }},
		{"used token", alice, func(r *proto.Resume) { r.Token = first }},
		{"another subject", bob, func(*proto.Resume) {}},
		{"last_seq beyond what was sent", alice, func(r *proto.Resume) { r.LastSeq += 1000 }},
		{"used token, last_seq beyond", alice, func(r *proto.Resume) { r.Token, r.LastSeq = first, 1000 }},
		{"used token, from the beginning", alice, func(r *proto.Resume) { r.Token, r.LastSeq = first, 0 }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := proto.Resume{SessionID: v.id, Token: v.token, LastSeq: v.heard}
			row.change(&r)
			if got := knock(t, s.addr, r, row.who); got != refused {
				t.Errorf("answer\n%swant\n%s", got, refused)
			}
			v.converse(1) // who has the session notices nothing
		})
	}
	if log := s.log.String(); strings.Count(log, `"event":"token_reused"`) != 3 || strings.Contains(log, first) || strings.Contains(log, v.token) {
		t.Errorf("want token_reused 3 times and no token in the log:\n%s", log)
	}
	other.end(0)
	v.end(0)
	report(t, "1", v.verdict().plus(other.verdict()), "beside %d refused resumes", len(rows))
}

// A session that nobody came back for ends; for 30 s more its end can be fetched, and after
// that nobody can tell that it ever was.
func TestExpiredSessionIsRefusedAsOneThatNeverWas(t *testing.T) {
	if !thorough() {
		t.Skip("it takes half a minute until an ended session is forgotten: make faults")
	}
	s := startServer(t, func(c *config) { c.ResumeWindow = time.Second })
	v := survive(t, s.addr)
	v.converse(2)
	v.p.rst()
	<-time.After(33 * time.Second) // what is tested is the time away
	if got := knock(t, s.addr, proto.Resume{SessionID: v.id, Token: v.token, LastSeq: v.heard}); got != refused {
		t.Errorf("answer\n%swant\n%s", got, refused)
	}
}

// The answer to a resume may be lost on the way: the token before the newest is good until the
// client is heard after the newest.
func TestResumeWorksWithTheTokenBeforeTheNewest(t *testing.T) {
	s := startServer(t, nil)
	v := survive(t, s.addr)
	v.converse(2)
	before := v.token
	if err := v.speak(2); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		v.asks()
		want[*proto.SessionResumed](v.p) // and nobody takes it to heart
		v.p.rst()
	}
	v.resume()
	v.converse(1)
	if got := knock(t, s.addr, proto.Resume{SessionID: v.id, Token: before, LastSeq: v.heard}); got != refused {
		t.Errorf("the old token, after the newest was used, is answered\n%swant\n%s", got, refused)
	}
	v.converse(1)
	v.end(0)
	report(t, "1", v.verdict(), "with 3 answers to a resume lost on the way")
}

// A session whose client reads and never acknowledges forgets what is over 1 MiB and 30 s old.
func TestResumeFromBeforeWhatIsKeptIsToldSo(t *testing.T) {
	s := startServer(t, nil)
	v := survive(t, s.addr)
	v.size = 48000 // a second
	v.converse(40)
	v.p.rst()
	if got := knock(t, s.addr, proto.Resume{SessionID: v.id, Token: v.token, LastSeq: 1}); got != gone {
		t.Errorf("answer\n%swant\n%s", got, gone)
	}
	if got := knock(t, s.addr, proto.Resume{SessionID: v.id, Token: "guess", LastSeq: 1}); got != refused {
		t.Errorf("a guess is answered\n%swant\n%s", got, refused)
	}
	// The token is not spent by that, and what is kept can be had.
	last := v.heard
	v.heard -= 20
	v.asks()
	if resumed := want[*proto.SessionResumed](v.p); resumed.Replay != (proto.Range{From: last - 19, To: last}) {
		t.Errorf("replay %+v, want %d to %d", resumed.Replay, last-19, last)
	}
	for seq := last - 19; seq <= last; seq++ {
		if m := want[proto.Sequenced](v.p); *m.Number() != seq {
			t.Fatalf("the replay brings %d, want %d", *m.Number(), seq)
		}
	}
}

// What is sent between a resume and its answer is not_started, also where only its beginning
// was sent by then, and the session does not hear it.
func TestWhatWasSentBeforeSessionResumedIsNotStarted(t *testing.T) {
	s := startServer(t, nil)
	v := survive(t, s.addr)
	v.converse(2)
	whole := audioFrame(3)
	half, rest := whole[:len(whole)/2], whole[len(whole)/2:]
	for _, row := range []struct {
		name          string
		early, later  []byte
		before, after int // errors, before and after session_resumed
	}{
		{"audio", whole, nil, 1, 0},
		{"text and a control", append(encoded(&proto.TextIn{Text: "hello"}), encoded(&proto.Commit{})...), nil, 2, 0},
		{"half a frame", half, rest, 0, 1},
		{"a frame and a half", append(bytes.Clone(whole), half...), rest, 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			v.t, v.p = t, connect(t, s.addr)
			v.p.next = v.heard + 1
			resume := encoded(&proto.Resume{SessionID: v.id, Token: v.token, LastSeq: v.heard})
			v.p.raw(append(resume, row.early...))
			for range row.before {
				v.p.wantError(proto.NotStarted)
			}
			resumed := want[*proto.SessionResumed](v.p)
			if resumed.LastSeq != int64(len(v.said)) {
				t.Errorf("last_seq %d, want %d: nothing of what came too early", resumed.LastSeq, len(v.said))
			}
			v.token = resumed.Resume.Token
			v.p.raw(row.later)
			for range row.after {
				v.p.wantError(proto.NotStarted)
			}
			v.converse(1)
		})
	}
	v.t, v.p = t, connect(t, s.addr)
	v.resume()
	v.end(0)
	report(t, "1", v.verdict(), "with messages sent before session_resumed")
}
