package proto

import "time"

// Code names an error of the protocol (section 5).
type Code string

// The error codes. Those of the first group leave the connection open.
const (
	BadJSON          Code = "bad_json"
	UnknownType      Code = "unknown_type"
	UnknownAction    Code = "unknown_action"
	BadField         Code = "bad_field"
	BadAudio         Code = "bad_audio"
	BadSeq           Code = "bad_seq"
	AlreadyStarted   Code = "already_started"
	NotStarted       Code = "not_started"
	RateLimited      Code = "rate_limited"
	ActorRestarted   Code = "actor_restarted"
	VoiceUnavailable Code = "voice_unavailable"

	UnsupportedAudio Code = "unsupported_audio"
	UnknownVoice     Code = "unknown_voice"
	ResumeRefused    Code = "resume_refused"
	ReplayGone       Code = "replay_gone"
	Overloaded       Code = "overloaded"
	Internal         Code = "internal"
)

// Codes lists every error code.
var Codes = []Code{
	BadJSON, UnknownType, UnknownAction, BadField, BadAudio, BadSeq, AlreadyStarted, NotStarted, RateLimited,
	ActorRestarted, VoiceUnavailable, UnsupportedAudio, UnknownVoice, ResumeRefused, ReplayGone, Overloaded, Internal,
}

// Error implements error.
func (f *Fault) Error() string { return string(f.Code) + ": " + f.Message }

// Close is the close that follows a fatal error.
func (c Code) Close() Close {
	switch c {
	case UnsupportedAudio, UnknownVoice:
		return CloseUnsupported
	case ResumeRefused, ReplayGone:
		return CloseResumeRefused
	case Overloaded:
		return CloseOverloaded
	case Internal:
		return CloseFailed
	}
	return Close{}
}

// The words of the one answer to every resume that is refused: no oracle.
const ResumeRefusedMessage = "this session cannot be resumed with this token"

// Patience counts the errors that a socket may cause: over 20 within 10 s and it is closed
// with CloseTooManyErrors. The zero value is ready. It belongs to one goroutine at a time.
type Patience struct {
	// when holds the times of the last errors that count, as a ring from next on.
	when [maxFaults]time.Time
	next int
}

// Patience's bounds, from section 5 of the protocol.
const (
	maxFaults   = 20
	faultWindow = 10 * time.Second
)

// Spend counts one error and tells whether patience is over. Errors that are not the
// client's doing, and rate_limited, are free.
func (p *Patience) Spend(c Code, now time.Time) bool {
	switch c {
	case ActorRestarted, VoiceUnavailable, RateLimited:
		return false
	}
	oldest := p.when[p.next]
	p.when[p.next] = now
	p.next = (p.next + 1) % maxFaults
	return !oldest.IsZero() && now.Sub(oldest) <= faultWindow
}
