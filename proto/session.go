package proto

import (
	"context"
	"errors"
	"time"
)

// What operators see of the server, and the port through which they act on it. Nothing here
// holds audio, words or tokens.

// SessionView is one session in the operators' list.
type SessionView struct {
	ID          string            `json:"id"`
	State       State             `json:"state"`
	Voice       string            `json:"voice"`
	StartedAt   time.Time         `json:"started_at"`
	Attached    bool              `json:"attached"`
	Remote      string            `json:"remote"`
	Audio       Format            `json:"audio"`
	FramesIn    int64             `json:"frames_in"`
	FramesOut   int64             `json:"frames_out"`
	SamplesIn   int64             `json:"samples_in"`
	SamplesOut  int64             `json:"samples_out"`
	SamplesLost int64             `json:"samples_lost"`
	Restarts    int64             `json:"restarts"`
	Resumes     int64             `json:"resumes"`
	QueueBytes  int64             `json:"queue_bytes"`
	ReplayBytes int64             `json:"replay_bytes"`
	Metadata    map[string]string `json:"metadata,omitempty"` // only where asked for
}

// ActorView is one actor of the live tree.
type ActorView struct {
	Name     string      `json:"name"` // sessions, a session id, audio, control or voice
	Path     string      `json:"path"`
	Session  string      `json:"session,omitempty"`
	Restarts int64       `json:"restarts"`
	Mailbox  int         `json:"mailbox"` // messages waiting
	Children []ActorView `json:"children,omitempty"`
}

// Event is one line of the supervision log.
type Event struct {
	ID       int64     `json:"id"` // rises by 1 with each event of this process
	Time     time.Time `json:"time"`
	Level    string    `json:"level"`
	Event    string    `json:"event"` // from the closed vocabulary Events
	Message  string    `json:"message"`
	Session  string    `json:"session,omitempty"`
	Actor    string    `json:"actor,omitempty"`
	Path     string    `json:"path,omitempty"`
	Voice    string    `json:"voice,omitempty"`
	Seq      int64     `json:"seq,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	Restarts int64     `json:"restarts,omitzero"`
	Stack    string    `json:"stack,omitempty"` // failures only
	Code     int       `json:"code,omitzero"`
	Bytes    int64     `json:"bytes,omitzero"`
	Count    int64     `json:"count,omitzero"`
	TookMS   int64     `json:"took_ms,omitzero"`
	Err      string    `json:"err,omitempty"`
}

// The vocabulary of the supervision log.
const (
	EvSessionStarted       = "session_started"
	EvSessionAttached      = "session_attached"
	EvSessionDetached      = "session_detached"
	EvSessionResumed       = "session_resumed"
	EvSessionEnded         = "session_ended"
	EvActorStarted         = "actor_started"
	EvActorFailed          = "actor_failed"
	EvActorRestarted       = "actor_restarted"
	EvActorStopped         = "actor_stopped"
	EvSupervisionExhausted = "supervision_exhausted"
	EvDeadLetter           = "dead_letter"
	EvVoiceLost            = "voice_lost"
	EvVoiceRestored        = "voice_restored"
	EvTokenReused          = "token_reused"
	EvCrisis               = "crisis"
	EvDrainStarted         = "drain_started"
	EvDrainDone            = "drain_done"
)

// Events lists the vocabulary.
var Events = []string{
	EvSessionStarted, EvSessionAttached, EvSessionDetached, EvSessionResumed, EvSessionEnded, EvActorStarted,
	EvActorFailed, EvActorRestarted, EvActorStopped, EvSupervisionExhausted, EvDeadLetter, EvVoiceLost,
	EvVoiceRestored, EvTokenReused, EvCrisis, EvDrainStarted, EvDrainDone,
}

// EventQuery selects from the ring of events. Zero fields do not select.
type EventQuery struct {
	Session string
	Actor   string
	Event   string
	Level   string
	// After selects what is newer than this id.
	After int64
	// Before selects what is older than this id: the next page of a list, newest first.
	Before int64
	// Limit bounds the answer; 0 means 100, and no more than 1000 are given.
	Limit int
}

// SessionQuery selects from the registry, ordered by id.
type SessionQuery struct {
	// After is the id that the last page ended with; empty: the first page.
	After string
	State State
	Voice string
	// Limit bounds the answer; 0 means 100, and no more than 1000 are given.
	Limit int
	// Metadata asks for each session's metadata.
	Metadata bool
}

// What an Operator's acts return.
var (
	ErrNoSession = errors.New("no such session")
	ErrNoActor   = errors.New("no such actor")
	ErrForbidden = errors.New("fault injection is off")
)

// Operator is what the operators' API asks. Every answer comes from the manager's books; no
// method waits for a session.
type Operator interface {
	// Sessions gives one page and the After of the next; empty: there is none.
	Sessions(SessionQuery) (page []SessionView, next string)
	// Session gives one session with its metadata left out; ErrNoSession.
	Session(id string) (SessionView, error)
	// End ends a session politely (4500); ErrNoSession.
	End(id string) error
	// Supervision gives events, newest first, and the Before of the next page; 0: none.
	Supervision(EventQuery) (page []Event, next int64)
	// Subscribe streams every event from now on, after those newer than the id that the ring
	// still holds (after < 0: none of them). A reader that falls behind by more than buffer
	// events is dropped: its channel is closed. The channel also closes when ctx ends.
	Subscribe(ctx context.Context, after int64, buffer int) <-chan Event
	// Tree gives the live actor tree of one session, or with an empty id of the first limit
	// sessions (0 means 100).
	Tree(id string, limit int) ActorView
	// Crash panics an actor (audio, control or voice): now, or with onFrame while it handles
	// its next frame. ErrForbidden without fault injection, ErrNoSession, ErrNoActor.
	Crash(id, actor string, onFrame bool) error
	// FaultInjection tells whether Crash is allowed.
	FaultInjection() bool
	// Voices lists the voices' names; the first is the default.
	Voices() []string
	// Stats is what the console's charts and /metrics are made of.
	Stats() Stats
}

// Stats are totals since the process started, and the present.
type Stats struct {
	Sessions     map[State]int64     `json:"sessions"` // present, by state
	Started      int64               `json:"started"`
	Ended        map[EndReason]int64 `json:"ended"`
	FramesIn     map[string]int64    `json:"frames_in"`  // by kind: audio, gap, text, control, ack, refused
	FramesOut    map[string]int64    `json:"frames_out"` // by kind: audio, ack, error, event
	AudioIn      float64             `json:"audio_in_seconds"`
	AudioOut     float64             `json:"audio_out_seconds"`
	SamplesLost  map[GapReason]int64 `json:"samples_lost"`
	Restarts     map[string]int64    `json:"restarts"` // by actor
	Resumes      map[string]int64    `json:"resumes"`  // by result: ok, refused, gone
	Errors       map[Code]int64      `json:"errors"`
	ReplayBytes  int64               `json:"replay_bytes"`
	Backpressure float64             `json:"backpressure_seconds"` // read loops that waited for credit
	FrameSeconds Histogram           `json:"frame_seconds"`        // read to written
	Draining     bool                `json:"draining"`
}

// Histogram is a count of observations at most as large as each bound.
type Histogram struct {
	// Bounds are upper bounds in seconds; Counts[i] is not cumulative and has one more than
	// Bounds, for what is larger than all.
	Bounds []float64 `json:"bounds"`
	Counts []int64   `json:"counts"`
	Sum    float64   `json:"sum"` // seconds
}
