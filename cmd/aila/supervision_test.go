package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"aila/actors"
	"aila/actors/voice"
	"aila/proto"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// secretWords are what no log may hold.
const secretWords = "words of the conversation"

// prompted is an echo that does what it is told in writing.
type prompted struct{ voice.Echo }

func (p prompted) Open(ctx context.Context, s voice.Setup, answer voice.Answer) (voice.Stream, error) {
	stream, err := p.Echo.Open(ctx, s, answer)
	return promptedStream{stream, answer}, err
}

type promptedStream struct {
	voice.Stream
	answer voice.Answer
}

func (p promptedStream) Text(text string) error {
	switch text {
	case "crisis":
		p.answer.Say(voice.Notice{Kind: "crisis", Text: secretWords})
	case "lose":
		p.answer.Say(voice.Lost{Err: errors.New("far side gone")})
	}
	return nil
}

// heard is an Outlet that keeps the newest resume token.
type heard struct{ tokens chan string }

func (h heard) Close(proto.Close) {}
func (h heard) QueueBytes() int64 { return 0 }
func (h heard) Send(p []byte, binary bool) {
	m, err := proto.DecodeOutbound(p)
	if err != nil || binary {
		return
	}
	switch m := m.(type) {
	case *proto.SessionStarted:
		h.tokens <- m.SessionID + " " + m.Resume.Token
	case *proto.SessionResumed:
		h.tokens <- m.SessionID + " " + m.Resume.Token
	}
}

// story drives sessions and reads the supervision log along.
type story struct {
	t      *testing.T
	g      *actors.Gateway
	events <-chan proto.Event
	names  map[string]string // of sessions, as the golden file calls them
	told   bytes.Buffer
	seen   map[string]bool
	// stopped is of actors that stopped, which they do side by side and in their own time.
	stopped []string
}

// until reads the log up to an event and writes it down.
func (s *story) until(event string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-s.events:
			s.write(e)
			if e.Event == event {
				return
			}
		case <-late:
			s.t.Fatalf("no %s came; so far:\n%s", event, &s.told)
		}
	}
}

// write writes an event down without what differs from run to run.
func (s *story) write(e proto.Event) {
	s.seen[e.Event] = true
	e.ID, e.Time, e.TookMS, e.Bytes = 0, time.Time{}, 0, 0
	if e.Stack != "" {
		e.Stack = "a stack"
	}
	line, err := json.Marshal(e)
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.NewReplacer(`"id":0,"time":"0001-01-01T00:00:00Z",`, "").Replace(string(line))
	for id, name := range s.names {
		text = strings.ReplaceAll(text, id, name)
	}
	if e.Event == proto.EvActorStopped {
		s.stopped = append(s.stopped, text+"\n")
		return
	}
	s.told.WriteString(text + "\n")
}

// open begins or resumes a session.
func (s *story) open(h proto.Hello, name string) (in proto.Inlet, id, token string) {
	s.t.Helper()
	out := heard{make(chan string, 4)}
	in, fault := s.g.Open(s.t.Context(), h, out)
	if fault != nil {
		s.t.Fatalf("open: %v", fault)
	}
	id, token, _ = strings.Cut(<-out.tokens, " ")
	s.names[id] = name
	return in, id, token
}

func (s *story) say(in proto.Inlet, m proto.Inbound) {
	s.t.Helper()
	if err := in.Deliver(m); err != nil {
		s.t.Fatalf("deliver: %v", err)
	}
}

// One log tells it all: each event of the vocabulary where it happens, once, with its fields.
// dead_letter is missing, for nothing that a client or an operator does may cause one.
func TestSupervisionLogTellsTheWholeStory(t *testing.T) {
	g := actors.Start(actors.Options{FaultInjection: true, Voices: []actors.NamedVoice{{Name: "prompted", Voice: prompted{}}}})
	defer g.Stop()
	s := &story{t: t, g: g, events: g.Subscribe(t.Context(), -1, 1000), names: map[string]string{}, seen: map[string]bool{}}

	in, id, token := s.open(proto.Hello{Start: &proto.Start{}}, "FIRST")
	s.until(proto.EvSessionAttached)
	s.say(in, &proto.TextIn{Text: "crisis"})
	s.until(proto.EvCrisis)
	s.say(in, &proto.TextIn{Text: "lose"})
	s.until(proto.EvVoiceLost)
	s.until(proto.EvVoiceRestored)
	if err := g.Crash(id, "audio", false); err != nil {
		t.Fatal(err)
	}
	s.until(proto.EvActorRestarted)
	in.Hangup(proto.Close{Code: 1006})
	s.until(proto.EvSessionDetached)

	in, _, next := s.open(proto.Hello{Resume: &proto.Resume{SessionID: id, Token: token}}, "FIRST")
	s.until(proto.EvSessionResumed)
	// The first message proves that the new token arrived, and the old one is used up.
	s.say(in, &proto.Ping{})
	in.Hangup(proto.Close{Code: 4001})
	s.until(proto.EvSessionDetached)
	if _, fault := g.Open(t.Context(), proto.Hello{Resume: &proto.Resume{SessionID: id, Token: token}}, heard{make(chan string, 4)}); fault == nil || token == next {
		t.Fatal("a used token opened a session")
	}
	s.until(proto.EvTokenReused)

	_, second, _ := s.open(proto.Hello{Start: &proto.Start{}}, "SECOND")
	s.until(proto.EvSessionAttached)
	for i := range 6 {
		if err := g.Crash(second, "voice", false); err != nil {
			t.Fatal(err)
		}
		if i < 5 {
			s.until(proto.EvActorRestarted)
		}
	}
	s.until(proto.EvSessionEnded)

	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no time left
	g.Drain(ctx, 0)
	s.until(proto.EvDrainDone)
	for len(s.stopped) < 6 {
		s.until(proto.EvActorStopped)
	}

	for _, e := range proto.Events {
		if !s.seen[e] && e != proto.EvDeadLetter {
			t.Errorf("%s never came", e)
		}
	}
	if strings.Contains(s.told.String(), secretWords) {
		t.Error("the log holds words of the conversation")
	}
	s.compare("testdata/supervision.golden")
}

// compare holds the story against its golden file.
func (s *story) compare(file string) {
	s.t.Helper()
	slices.Sort(s.stopped)
	text := s.told.String() + strings.Join(s.stopped, "")
	if *updateGolden {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if text != string(want) {
		s.t.Errorf("the log says\n%s\nwant\n%s", text, want)
	}
}
