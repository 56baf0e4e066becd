package proto

import (
	"log/slog"

	"github.com/rs/zerolog"
)

// Every message that holds audio, words or a token says here what a log may know of it: its
// number and its size. Whatever logs one, through slog or zerolog, gets no more.

func (a *AudioIn) LogValue() slog.Value        { return sized(a.Seq, len(a.Data)) }
func (a *AudioOut) LogValue() slog.Value       { return sized(a.Seq, len(a.Data)) }
func (t *TextIn) LogValue() slog.Value         { return sized(t.Seq, len(t.Text)) }
func (t *Transcript) LogValue() slog.Value     { return sized(t.Seq, len(t.Text)) }
func (n *Notice) LogValue() slog.Value         { return sized(n.Seq, len(n.Text)) }
func (s *Start) LogValue() slog.Value          { return sized(0, len(s.Metadata)) }
func (r *Resume) LogValue() slog.Value         { return sized(r.LastSeq, 0) }
func (r *Refresh) LogValue() slog.Value        { return sized(0, 0) }
func (s *SessionStarted) LogValue() slog.Value { return sized(s.Seq, 0) }
func (s *SessionResumed) LogValue() slog.Value { return sized(0, 0) }
func (r *Refused) LogValue() slog.Value        { return slog.StringValue(string(r.Fault.Code)) }
func (f *Fault) LogValue() slog.Value          { return slog.StringValue(string(f.Code)) }

func (a *AudioIn) MarshalZerologObject(e *zerolog.Event)        { sizedEvent(e, a.Seq, len(a.Data)) }
func (a *AudioOut) MarshalZerologObject(e *zerolog.Event)       { sizedEvent(e, a.Seq, len(a.Data)) }
func (t *TextIn) MarshalZerologObject(e *zerolog.Event)         { sizedEvent(e, t.Seq, len(t.Text)) }
func (t *Transcript) MarshalZerologObject(e *zerolog.Event)     { sizedEvent(e, t.Seq, len(t.Text)) }
func (n *Notice) MarshalZerologObject(e *zerolog.Event)         { sizedEvent(e, n.Seq, len(n.Text)) }
func (s *Start) MarshalZerologObject(e *zerolog.Event)          { sizedEvent(e, 0, len(s.Metadata)) }
func (r *Resume) MarshalZerologObject(e *zerolog.Event)         { sizedEvent(e, r.LastSeq, 0) }
func (r *Refresh) MarshalZerologObject(e *zerolog.Event)        { sizedEvent(e, 0, 0) }
func (s *SessionStarted) MarshalZerologObject(e *zerolog.Event) { sizedEvent(e, s.Seq, 0) }
func (s *SessionResumed) MarshalZerologObject(e *zerolog.Event) { sizedEvent(e, 0, 0) }
func (r *Refused) MarshalZerologObject(e *zerolog.Event)        { e.Str("code", string(r.Fault.Code)) }
func (f *Fault) MarshalZerologObject(e *zerolog.Event)          { e.Str("code", string(f.Code)) }

func sized(seq int64, bytes int) slog.Value {
	return slog.GroupValue(slog.Int64("seq", seq), slog.Int("bytes", bytes))
}

func sizedEvent(e *zerolog.Event, seq int64, bytes int) { e.Int64("seq", seq).Int("bytes", bytes) }
