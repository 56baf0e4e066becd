package proto

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// said is what a client message looks like on the wire. Fields that may be sent as zero are
// pointers; nil: absent.
type said struct {
	Action    string            `json:"action,omitempty"`
	Seq       int64             `json:"seq,omitzero"`
	ID        string            `json:"id,omitempty"`
	Samples   int64             `json:"samples,omitzero"`
	Reason    string            `json:"reason,omitempty"`
	Text      *string           `json:"text,omitzero"`
	ItemID    *string           `json:"item_id,omitzero"`
	PlayedMS  *int64            `json:"played_ms,omitzero"`
	State     string            `json:"state,omitempty"`
	TMS       *int64            `json:"t_ms,omitzero"`
	Audio     Format            `json:"audio,omitzero"`
	Voice     string            `json:"voice,omitempty"`
	Binary    bool              `json:"binary,omitzero"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	SessionID *string           `json:"session_id,omitzero"`
	Token     *string           `json:"token,omitzero"`
	LastSeq   *int64            `json:"last_seq,omitzero"`
}

// appendInbound is AppendInbound for any message but audio.
func appendInbound(dst []byte, m Inbound) []byte {
	k := inboundByType[reflect.TypeOf(m)]
	if k == nil {
		panic(fmt.Sprintf("proto: %T is not in the table", m))
	}
	s := said{Action: k.action}
	if n, ok := m.(Numbered); ok {
		s.Seq, s.ID = n.Header().Seq, n.Header().ID
	}
	switch m := m.(type) {
	case *Start:
		s.ID, s.Audio, s.Voice, s.Binary, s.Metadata = m.ID, m.Audio, m.Voice, m.Binary, m.Metadata
	case *Resume:
		s.ID, s.SessionID, s.Token, s.LastSeq = m.ID, &m.SessionID, &m.Token, &m.LastSeq
	case *Refresh:
		s.ID, s.Token = m.ID, &m.Token
	case *Interrupt:
		s.PlayedMS = m.PlayedMS
		if m.ItemID != "" {
			s.ItemID = &m.ItemID
		}
	case *GapIn:
		s.Samples, s.Reason = m.Samples, m.Reason
	case *TextIn:
		s.Text = &m.Text
	case *Playback:
		s.ItemID, s.PlayedMS, s.State = &m.ItemID, &m.PlayedMS, m.State
	case *Ping:
		s.ID, s.TMS = m.ID, m.TMS
	}
	return appendObject(dst, k.name, &s)
}

// decodeOutbound is DecodeOutbound for any message, plain or not.
func decodeOutbound(b []byte) (Outbound, error) {
	var head struct {
		Type jsontext.Value `json:"type"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("server message: %w", err)
	}
	name, ok := text(head.Type)
	if !ok {
		return nil, errors.New("server message without a type")
	}
	k := outboundByName[name]
	if k == nil {
		return nil, ErrUnknown
	}
	m := k.make()
	if a, ok := m.(*AudioOut); ok {
		return decodeAudioOut(a, b)
	}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s of the server: %w", name, err)
	}
	return m, nil
}

func decodeAudioOut(a *AudioOut, b []byte) (Outbound, error) {
	var w struct {
		Seq    int64  `json:"seq"`
		Data   string `json:"data"`
		ItemID string `json:"item_id"`
		Pos    int64  `json:"pos"`
		Re     int64  `json:"re"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("audio_chunk of the server: %w", err)
	}
	data, ok := decode64(nil, []byte(w.Data))
	if !ok {
		return nil, errors.New("audio_chunk of the server: bad base64")
	}
	a.Seq, a.Data, a.ItemID, a.Pos, a.Re = w.Seq, data, w.ItemID, w.Pos, w.Re
	return a, nil
}
