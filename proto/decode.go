package proto

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// wire holds every field that any client message may have, unparsed; nil: absent. Parsing a
// message into it checks the syntax of all of it, unknown fields included: duplicate keys and
// lone surrogate escapes are errors of the parser.
type wire struct {
	Type      jsontext.Value `json:"type"`
	Action    jsontext.Value `json:"action"`
	Seq       jsontext.Value `json:"seq"`
	ID        jsontext.Value `json:"id"`
	Data      jsontext.Value `json:"data"`
	Samples   jsontext.Value `json:"samples"`
	Reason    jsontext.Value `json:"reason"`
	Text      jsontext.Value `json:"text"`
	ItemID    jsontext.Value `json:"item_id"`
	PlayedMS  jsontext.Value `json:"played_ms"`
	State     jsontext.Value `json:"state"`
	TMS       jsontext.Value `json:"t_ms"`
	Audio     jsontext.Value `json:"audio"`
	Voice     jsontext.Value `json:"voice"`
	Binary    jsontext.Value `json:"binary"`
	Metadata  jsontext.Value `json:"metadata"`
	SessionID jsontext.Value `json:"session_id"`
	Token     jsontext.Value `json:"token"`
	LastSeq   jsontext.Value `json:"last_seq"`
}

// decode is Decode for any message, plain or not.
func decode(b []byte) (Inbound, error) {
	if !utf8.Valid(b) {
		return nil, ErrNotUTF8
	}
	if tooDeep(b) {
		return refuse(Head{}, BadJSON, "nesting over "+strconv.Itoa(MaxDepth)), nil
	}
	var w wire
	switch err := json.Unmarshal(b, &w); {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return refuse(Head{}, BadJSON, "duplicate key"), nil
	case err != nil:
		return refuse(Head{}, BadJSON, "not one JSON object"), nil
	case w.Type.Kind() != '"':
		return refuse(Head{}, BadJSON, "no type, or type is not a string"), nil
	}
	return w.read(), nil
}

// read turns the fields into the message that they say, or into the *Refused that says why not.
func (w *wire) read() Inbound {
	r := &reader{w: w}
	head := Head{Seq: seq(w.Seq), ID: r.id()}
	badID := r.fault

	k, refused := w.kind(head)
	if refused != nil {
		return refused
	}
	if !k.numbered() {
		head.Seq = 0 // then seq is an unknown field, or not the message's own number
	}
	var m Inbound
	switch {
	case k.numbered() && w.Seq != nil && head.Seq == 0:
		refused = refuse(head, BadSeq, "seq must be an integer from 1 to "+maxSeqText)
		refused.BadSeq = true
	case badID != nil:
		refused = refuse(head, badID.Code, badID.Message)
	default:
		if m = k.read(r, head); r.fault == nil {
			return m
		}
		refused = refuse(head, r.fault.Code, r.fault.Message)
	}
	if a, ok := m.(*AudioIn); ok {
		a.Release()
	}
	refused.Numbered = k.numbered()
	return refused
}

// kind finds the message's row in the table.
func (w *wire) kind(head Head) (*inboundKind, *Refused) {
	name, _ := text(w.Type)
	if name != sessionControl {
		if k := inboundByName[[2]string{name, ""}]; k != nil {
			return k, nil
		}
		return nil, refuse(head, UnknownType, "unknown type")
	}
	action, ok := text(w.Action)
	switch {
	case w.Action == nil:
		return nil, refuse(head, BadField, "action is missing")
	case !ok:
		return nil, refuse(head, BadField, "action must be a string")
	}
	if k := inboundByName[[2]string{name, action}]; k != nil && action != "" {
		return k, nil
	}
	return nil, refuse(head, UnknownAction, "unknown action")
}

// refuse is the message that stands in place of one that is refused.
func refuse(h Head, c Code, message string) *Refused {
	f := Fault{Code: c, Message: message, Ref: h.ID}
	if !h.Wrapped {
		f.ClientSeq = h.Seq
	}
	return &Refused{Head: h, Fault: f}
}

var maxSeqText = strconv.FormatInt(MaxSeq, 10)

// seq reads a sequence number; 0: absent or no integer in range.
func seq(v jsontext.Value) int64 {
	if n, ok := integer(v); ok && n >= 1 && n <= MaxSeq {
		return n
	}
	return 0
}

// integer reads a JSON number that is written as an integer: 1.0 and 1e3 are not.
func integer(v jsontext.Value) (int64, bool) {
	if v.Kind() != '0' || len(v) > 20 || bytes.ContainsAny(v, ".eE") || string(v) == "-0" {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// text reads a JSON string without NUL in it.
func text(v jsontext.Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	if p := v[1 : len(v)-1]; bytes.IndexByte(p, '\\') < 0 {
		return string(p), true // a raw NUL is no JSON
	}
	p, err := jsontext.AppendUnquote(nil, v)
	return string(p), err == nil && bytes.IndexByte(p, 0) < 0
}

// tooDeep tells whether b nests over MaxDepth, as far as b is JSON.
func tooDeep(b []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
			if c == '\\' {
				i++
			}
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
