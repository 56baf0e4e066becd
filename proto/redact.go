package proto

import (
	"log/slog"

	"github.com/rs/zerolog"
)

// Every message that holds audio, a token or words of the peer's choice (its ids are such)
// says here what a log may know of it: its number and its size. Whatever logs one, through slog or zerolog, gets no more.

// LogValue is also that of every numbered message without its own: an id is the client's words.
func (h *Head) LogValue() slog.Value           { return slog.GroupValue(slog.Int64("seq", h.Seq)) }
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
func (p *Playback) LogValue() slog.Value       { return slog.GroupValue(slog.Int64("played_ms", p.PlayedMS)) }
func (p *Ping) LogValue() slog.Value           { return sized(0, len(p.ID)) }
func (p *Pong) LogValue() slog.Value           { return sized(0, len(p.ID)) }
func (s *SessionState) LogValue() slog.Value   { return slog.StringValue(string(s.State)) }
func (g ResumeGrant) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("window_ms", g.WindowMS))
}
func (h Hello) LogValue() slog.Value { return slog.GroupValue(slog.Bool("resume", h.Resume != nil)) }

func (h *Head) MarshalZerologObject(e *zerolog.Event)           { e.Int64("seq", h.Seq) }
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
func (p *Playback) MarshalZerologObject(e *zerolog.Event)       { e.Int64("played_ms", p.PlayedMS) }
func (p *Ping) MarshalZerologObject(e *zerolog.Event)           { sizedEvent(e, 0, len(p.ID)) }
func (p *Pong) MarshalZerologObject(e *zerolog.Event)           { sizedEvent(e, 0, len(p.ID)) }
func (s *SessionState) MarshalZerologObject(e *zerolog.Event)   { e.Str("state", string(s.State)) }
func (g ResumeGrant) MarshalZerologObject(e *zerolog.Event)     { e.Int64("window_ms", g.WindowMS) }
func (h Hello) MarshalZerologObject(e *zerolog.Event)           { e.Bool("resume", h.Resume != nil) }

func sized(seq int64, bytes int) slog.Value {
	return slog.GroupValue(slog.Int64("seq", seq), slog.Int("bytes", bytes))
}

func sizedEvent(e *zerolog.Event, seq int64, bytes int) { e.Int64("seq", seq).Int("bytes", bytes) }
