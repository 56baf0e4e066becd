package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"aila/proto"
)

// canary is what a user says, types and is called; nobody else may ever see it.
const canary = "CANARY-7f3a91-sings"

// tracksOf gives the forms in which the canary could be recognised.
func tracksOf() []string {
	all := []string{canary, hex.EncodeToString([]byte(canary)), "%43%41%4e%41%52%59"}
	for shift := range 3 { // base64 of it at each offset; what its neighbours decide is cut off
		s := base64.StdEncoding.EncodeToString([]byte("xxx"[:shift] + canary))
		all = append(all, s[4:len(s)-4])
	}
	return all
}

// singing is 20 ms of audio full of the canary.
func singing() []byte { return []byte(strings.Repeat(canary, 960/len(canary)+1)[:960]) }

// What a user says is in no log line at any level, in no metric, and in no answer of the API
// but that to the one who asks for metadata, with crashes and bad frames on the way.
func TestCanaryIsHeardByNobodyElse(t *testing.T) {
	s := startServerAt(t, zerolog.TraceLevel, nil)
	stream := s.follow(t)
	other := s.look(t)

	p := connect(t, s.addr, "User-Agent: "+canary, "Cookie: c="+canary, "X-Trace: "+canary)
	p.text(`{"type":"session_control","action":"start","id":"` + canary + `","metadata":{"` + canary + `":"` + canary + `"},"` + canary + `":1}`)
	started := want[*proto.SessionStarted](p)
	seq := int64(0)
	say := func(fields string) { seq++; p.text(audioChunk(seq, fields, singing())) }
	echoes := 0
	hear := func(done func(proto.Outbound) bool) {
		for m := seek[proto.Outbound](p); !done(m); m = seek[proto.Outbound](p) {
			if a, ok := m.(*proto.AudioOut); ok && bytes.Equal(a.Data, singing()) {
				echoes++
			}
		}
	}
	restarted := func(m proto.Outbound) bool { f, ok := m.(*proto.Fault); return ok && f.Code == proto.ActorRestarted }
	say(`,"id":"` + canary + `"`)
	for _, actor := range []string{"audio", "voice"} {
		s.crash(started.SessionID, actor, "frame")
		say("")
		hear(restarted)
		say("")
	}
	s.crash(started.SessionID, "control", "frame")
	seq++
	p.say(&proto.TextIn{Head: proto.Head{Seq: seq, ID: canary}, Text: canary})
	hear(restarted)
	for _, bad := range badSongs(seq + 1) {
		p.raw(bad)
		hear(func(m proto.Outbound) bool { _, ok := m.(*proto.Fault); return ok })
	}
	wantNoTrace(t, "the session's view", s.answers(t, started.SessionID))
	if _, body := ask(t, http.MethodGet, s.page(), "/api/v1/sessions?metadata=true"); !bytes.Contains(body, []byte(canary)) {
		t.Error("an operator who asks for metadata does not see it")
	}
	intruder := connect(t, s.addr)
	intruder.text(`{"type":"session_control","action":"resume","id":"` + canary + `","session_id":"` + canary + `","token":"` + canary + `","last_seq":0}`)
	intruder.wantClose(proto.CloseResumeRefused)
	ask(t, http.MethodGet, s.page(), "/"+canary+"?q="+canary)
	ask(t, http.MethodDelete, s.page(), "/api/v1/sessions/"+canary)

	// A close with words ends the socket, and then over the budget the session.
	p.raw(frame(closeFrame, append([]byte{0x03, 0xe8}, canary...)))
	for range 5 { // it had one
		s.crash(started.SessionID, "audio", "")
	}
	other.wantUndisturbed(t)
	wantNoTrace(t, "an answer of the API after the end", s.answers(t, ""))
	wantNoTrace(t, "the event stream", stream())
	log := s.log.String()
	wantNoTrace(t, "the log", log)
	wantNoTrace(t, "the log, where a token is", strings.ReplaceAll(log, started.Resume.Token, canary))
	if echoes == 0 || !strings.Contains(log, "actor_failed") || !strings.Contains(log, "supervision_exhausted") {
		t.Errorf("%d echoes and a log of %d bytes: the canary was never at risk", echoes, len(log))
	}
}

// badSongs are messages with the canary that are refused, all in place of the seq given.
func badSongs(seq int64) [][]byte {
	song := base64.StdEncoding.EncodeToString(singing())
	return [][]byte{
		frame(textFrame, []byte(canary)),
		frame(textFrame, []byte(`{"type":"`+canary+`"}`)),
		frame(textFrame, []byte(`{"type":"session_control","action":"`+canary+`"}`)),
		frame(textFrame, []byte(`{"type":"text","text":{"`+canary+`":1},"seq":1e3}`)),
		frame(textFrame, []byte(`{"type":"text","text":"`+canary+`","text":"`+canary+`"}`)),
		frame(binaryFrame, append([]byte{1, 7, 0, 0, 0, 0, 0, byte(seq), 0, 0, 0, 0, 0, 0, 0, 0}, singing()...)),
		frame(textFrame, []byte(chunk(seq, `"`+song+canary+`"`))),
	}
}

func wantNoTrace(t *testing.T, where, text string) {
	t.Helper()
	for _, trace := range tracksOf() {
		if i := strings.Index(text, trace); i >= 0 {
			t.Errorf("%s holds the canary as %q: ...%s...", where, trace, text[max(0, i-200):min(len(text), i+100)])
		}
	}
}

// answers is all that operators and scrapers can read.
func (s *server) answers(t *testing.T, id string) string {
	t.Helper()
	paths := []string{
		"/metrics", "/api/v1/sessions", "/api/v1/supervision?limit=1000", "/api/v1/tree", "/api/v1/stats", "/api/v1/voices", "/readyz",
	}
	if id != "" {
		paths = append(paths, "/api/v1/sessions/"+id, "/api/v1/tree?session="+id, "/api/v1/supervision?session="+id)
	}
	var all strings.Builder
	for _, path := range paths {
		status, body := ask(t, http.MethodGet, s.page(), path)
		if status != http.StatusOK {
			t.Errorf("GET %s: %d", path, status)
		}
		all.Write(body)
	}
	return all.String()
}

// follow reads the operators' event stream from now on; what it gives reads to the end of the
// session that is in it and stops.
func (s *server) follow(t *testing.T) (stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.page()+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := asker.Do(r)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET /api/v1/events: %v, %v", res, err)
	}
	var seen strings.Builder
	ended := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() { // ends with ctx
		defer res.Body.Close()
		in := bufio.NewScanner(res.Body)
		in.Buffer(nil, 1<<20)
		for once := true; in.Scan(); {
			seen.WriteString(in.Text() + "\n")
			if once && strings.Contains(in.Text(), `"event":"session_ended"`) {
				once = false
				close(ended)
			}
		}
	})
	return func() string {
		<-ended
		cancel()
		reading.Wait()
		return seen.String()
	}
}
