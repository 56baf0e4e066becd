package proto

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// reader reads the fields of one message and keeps the first fault that it finds. Faults name
// fields in the protocol's words and never quote what the client sent.
type reader struct {
	w     *wire
	fault *Fault
}

func (r *reader) refuse(c Code, format string, args ...any) {
	if r.fault == nil {
		r.fault = &Fault{Code: c, Message: fmt.Sprintf(format, args...)}
	}
}

// there tells whether a field is present; a required one that is not is a fault.
func (r *reader) there(name string, v jsontext.Value, required bool) bool {
	if v == nil && required {
		r.refuse(BadField, "%s is missing", name)
	}
	return v != nil
}

func (r *reader) str(name string, v jsontext.Value, required bool) string {
	if !r.there(name, v, required) {
		return ""
	}
	s, ok := text(v)
	if !ok {
		r.refuse(BadField, "%s must be a string without NUL", name)
	}
	return s
}

func (r *reader) oneOf(name string, v jsontext.Value, words ...string) string {
	s := r.str(name, v, true)
	for _, w := range words {
		if s == w {
			return s
		}
	}
	r.refuse(BadField, "%s must be one of %v", name, words)
	return ""
}

func (r *reader) int(name string, v jsontext.Value, required bool, least, most int64) int64 {
	if !r.there(name, v, required) {
		return 0
	}
	n, ok := integer(v)
	if !ok || n < least || n > most {
		r.refuse(BadField, "%s must be an integer from %d to %d", name, least, most)
	}
	return n
}

// optionalInt is nil for a field that is absent.
func (r *reader) optionalInt(name string, v jsontext.Value, least, most int64) *int64 {
	if v == nil {
		return nil
	}
	n := r.int(name, v, true, least, most)
	return &n
}

func (r *reader) bool(name string, v jsontext.Value) bool {
	if k := v.Kind(); v != nil && k != 't' && k != 'f' {
		r.refuse(BadField, "%s must be true or false", name)
	}
	return v.Kind() == 't'
}

// id reads what any message may carry; empty when it is absent or refused.
func (r *reader) id() string {
	id := r.str("id", r.w.ID, false)
	if utf8.RuneCountInString(id) > MaxID {
		r.refuse(BadField, "id must be at most %d characters", MaxID)
	}
	if r.fault != nil {
		return ""
	}
	return id
}

func readStart(r *reader, h Head) Inbound {
	return &Start{
		ID:       h.ID,
		Audio:    r.format(),
		Voice:    r.str("voice", r.w.Voice, false),
		Binary:   r.bool("binary", r.w.Binary),
		Metadata: r.metadata(),
	}
}

// format reads start's audio; members that are absent have the default's value for the encoding.
func (r *reader) format() Format {
	v := r.w.Audio
	if v == nil {
		return Format{}
	}
	var m struct {
		Encoding   jsontext.Value `json:"encoding"`
		SampleRate jsontext.Value `json:"sample_rate"`
		Channels   jsontext.Value `json:"channels"`
	}
	if v.Kind() != '{' || json.Unmarshal(v, &m) != nil {
		r.refuse(BadField, "audio must be an object")
		return Format{}
	}
	f := DefaultFormat
	if m.Encoding != nil {
		f.Encoding = r.str("audio.encoding", m.Encoding, true)
	}
	switch f.Encoding {
	case "pcmu", "pcma":
		f.SampleRate = 8000
	case "opus":
		f.SampleRate = 48000
	}
	if m.SampleRate != nil {
		f.SampleRate = int(r.int("audio.sample_rate", m.SampleRate, true, 1, math.MaxInt32))
	}
	if m.Channels != nil {
		f.Channels = int(r.int("audio.channels", m.Channels, true, 1, math.MaxInt32))
	}
	return f
}

func (r *reader) metadata() map[string]string {
	v := r.w.Metadata
	if v == nil {
		return nil
	}
	var m map[string]jsontext.Value
	switch {
	case v.Kind() != '{':
		r.refuse(BadField, "metadata must be an object of strings")
		return nil
	case len(v) > MaxMetadata:
		r.refuse(BadField, "metadata must be at most %d bytes", MaxMetadata)
		return nil
	case json.Unmarshal(v, &m) != nil:
		r.refuse(BadField, "metadata must be an object of strings")
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		s, ok := text(v)
		if !ok || bytes.IndexByte([]byte(k), 0) >= 0 {
			r.refuse(BadField, "metadata must be an object of strings without NUL")
			return nil
		}
		out[k] = s
	}
	return out
}

func readResume(r *reader, h Head) Inbound {
	return &Resume{
		ID:        h.ID,
		SessionID: r.str("session_id", r.w.SessionID, true),
		Token:     r.str("token", r.w.Token, true),
		LastSeq:   r.int("last_seq", r.w.LastSeq, true, 0, MaxSeq),
	}
}

func readRefresh(r *reader, h Head) Inbound {
	return &Refresh{ID: h.ID, Token: r.str("token", r.w.Token, true)}
}

func readInterrupt(r *reader, h Head) Inbound {
	return &Interrupt{
		Head:     h,
		ItemID:   r.str("item_id", r.w.ItemID, false),
		PlayedMS: r.optionalInt("played_ms", r.w.PlayedMS, 0, MaxSeq),
	}
}

func readAudio(r *reader, h Head) Inbound {
	v := r.w.Data
	if !r.there("data", v, true) {
		return nil
	}
	if v.Kind() != '"' {
		r.refuse(BadField, "data must be a string")
		return nil
	}
	src := []byte(v[1 : len(v)-1])
	if bytes.IndexByte(src, '\\') >= 0 {
		src, _ = jsontext.AppendUnquote(nil, v)
	}
	a := NewAudioIn()
	a.Head = h
	if !a.decode64(src) {
		r.refuse(BadAudio, "data is not base64 in the standard alphabet with padding")
	}
	return a
}

func readGap(r *reader, h Head) Inbound {
	return &GapIn{
		Head:    h,
		Samples: r.int("samples", r.w.Samples, true, 1, MaxSeq),
		Reason:  r.oneOf("reason", r.w.Reason, "overflow", "muted"),
	}
}

func readText(r *reader, h Head) Inbound {
	s := r.str("text", r.w.Text, true)
	if len(s) > MaxText {
		r.refuse(BadField, "text must be at most %d bytes", MaxText)
	}
	return &TextIn{Head: h, Text: s}
}

func readAck(r *reader, _ Head) Inbound {
	return &AckIn{Seq: r.int("seq", r.w.Seq, true, 0, MaxSeq)}
}

func readPlayback(r *reader, _ Head) Inbound {
	return &Playback{
		ItemID:   r.str("item_id", r.w.ItemID, true),
		PlayedMS: r.int("played_ms", r.w.PlayedMS, true, 0, MaxSeq),
		State:    r.oneOf("state", r.w.State, "playing", "done", "cleared"),
	}
}

func readPing(r *reader, h Head) Inbound {
	return &Ping{ID: h.ID, TMS: r.optionalInt("t_ms", r.w.TMS, -MaxSeq, MaxSeq)}
}
