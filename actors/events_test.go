package actors

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"aila/actors/voice"
	"aila/proto"
)

// flaky is a voice that can be cut off, and that notices a crisis.
type flaky struct {
	voice.Echo
	answer voice.Answer
}

func (f *flaky) Open(ctx context.Context, s voice.Setup, a voice.Answer) (voice.Stream, error) {
	f.answer = a
	return f.Echo.Open(ctx, s, a)
}

// One session lives through everything that the log has words for, and each is said once,
// where it happens.
func TestEveryEventIsSaidOnceWhereItHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v := &flaky{}
		g := Start(Options{FaultInjection: true, Log: zerolog.New(zerolog.SyncWriter(&log)), Voices: []NamedVoice{{"flaky", v}}})
		r := join(t, g, &proto.Start{})
		id := r.started.SessionID
		r.echoes(r.audio())
		v.answer.Say(voice.Notice{Kind: "crisis", Text: "words"})
		v.answer.Say(voice.Lost{})
		time.Sleep(time.Minute)
		r.in.Hangup(proto.Close{Code: 4001})
		token := r.started.Resume.Token
		if f := r.resume(token, 1); f != nil {
			t.Fatal(f)
		}
		r.deliver(&proto.AckIn{Seq: 1})
		if f := r.resume(token, 1); f == nil {
			t.Fatal("a token served twice")
		}
		g.hub.send(g.hub.system.NewLocalPID("nobody"), "not ours")
		for range maxRestarts + 1 {
			if err := g.Crash(id, "control", false); err != nil {
				t.Fatal(err)
			}
		}
		g.Drain(t.Context(), time.Second)
		g.Stop()
		time.Sleep(time.Second) // of the bubble's time: the library's throttle lets go
		got, _ := g.Supervision(proto.EventQuery{Limit: 1000})
		var names []string
		for _, ev := range got {
			names = append(names, ev.Event)
			if ev.Message == "" || ev.Level == "" || ev.Time.IsZero() || !slices.Contains(proto.Events, ev.Event) {
				t.Errorf("event %+v", ev)
			}
		}
		slices.Reverse(names)
		want := strings.Fields(`actor_started actor_started actor_started session_started session_attached crisis
			voice_lost voice_restored session_detached session_attached session_resumed token_reused dead_letter ` +
			strings.Repeat("actor_failed actor_restarted ", maxRestarts) + `actor_failed supervision_exhausted
			session_ended actor_stopped actor_stopped actor_stopped drain_started drain_done`)
		if !slices.Equal(names, want) {
			t.Errorf("events\n%v\nwant\n%v", names, want)
		}
		for _, known := range proto.Events {
			if !slices.Contains(names, known) {
				t.Errorf("%s was never said", known)
			}
		}
		heldToTheLog(t, &log, len(want))
	})
}

// heldToTheLog checks that each event is one line of JSON with fields from the closed list.
func heldToTheLog(t *testing.T, log *bytes.Buffer, want int) {
	t.Helper()
	fields := strings.Fields("time level event message session actor path voice seq reason restarts stack code bytes count took_ms err")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != want {
		t.Errorf("%d lines of log, want %d", len(lines), want)
	}
	for _, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for f := range m {
			if !slices.Contains(fields, f) {
				t.Errorf("field %q is not of the list: %s", f, line)
			}
		}
		if strings.Contains(line, "words") {
			t.Errorf("the user's words are in the log: %s", line)
		}
	}
}

func TestEventsArePagedAndFiltered(t *testing.T) {
	e := newEvents(zerolog.Nop())
	for i := range 6000 {
		name := proto.EvSessionStarted
		if i%100 == 0 {
			name = proto.EvActorFailed
		}
		e.emit(proto.Event{Event: name, Session: string(rune('a' + i%3)), Actor: "audio"})
	}
	var seen []int64
	q := proto.EventQuery{Limit: 1000}
	for {
		page, next := e.query(q)
		for _, ev := range page {
			seen = append(seen, ev.ID)
		}
		if next == 0 {
			break
		}
		q.Before = next
	}
	if !slices.IsSortedFunc(seen, func(a, b int64) int { return int(b - a) }) || seen[0] != 6000 {
		t.Errorf("pages are not newest first: %v...", seen[:3])
	}
	if failed, _ := e.query(proto.EventQuery{Event: proto.EvActorFailed, Limit: 1000}); len(failed) != 60 {
		t.Errorf("%d failures are left of 60: arrivals washed them out", len(failed))
	}
	if page, _ := e.query(proto.EventQuery{Session: "a", After: 5990, Level: "info"}); len(page) != 3 {
		t.Errorf("filtered page %+v", page)
	}
}

func TestSlowSubscriberIsDropped(t *testing.T) {
	e := newEvents(zerolog.Nop())
	e.emit(proto.Event{Event: proto.EvDrainStarted})
	slow := e.subscribe(t.Context(), 0, 2)
	for range 5 {
		e.emit(proto.Event{Event: proto.EvSessionStarted})
	}
	var got []int64
	for ev := range slow {
		got = append(got, ev.ID)
	}
	if !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("the slow reader got %v, want what it missed and what its buffer holds", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	fast := e.subscribe(ctx, -1, 2)
	cancel()
	if _, open := <-fast; open {
		t.Error("a subscription outlives its context")
	}
}
