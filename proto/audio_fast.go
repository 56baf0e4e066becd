package proto

import "bytes"

// The fast path: audio_chunk, as plain as every client writes it. It takes only what the
// general decoder takes with the same result, and declines everything else: escapes, fields
// that it does not know, anything refused. A fuzz test holds the two together.

// audioFields are the fields of an audio_chunk in either direction.
type audioFields struct {
	seen         uint8
	seq, pos, re int64
	id, item     []byte // plain, without quotes
	data         []byte // base64, not yet checked
}

// The bits of seen.
const (
	sawType = 1 << iota
	sawSeq
	sawID
	sawData
	sawItem
	sawPos
	sawRe
)

// fastAudioIn decodes a plain audio_chunk of a client; nil: declined.
func fastAudioIn(b []byte) *AudioIn {
	var f audioFields
	if !f.scan(b, sawType|sawSeq|sawID|sawData) || len(f.id) > MaxID || f.seen&sawSeq != 0 && f.seq == 0 {
		return nil
	}
	a := NewAudioIn()
	if !a.decode64(f.data) {
		a.Release()
		return nil
	}
	a.Seq = f.seq
	if len(f.id) > 0 {
		a.ID = string(f.id)
	}
	return a
}

// fastAudioOut decodes a plain audio_chunk of a server; nil: declined.
func fastAudioOut(b []byte) *AudioOut {
	var f audioFields
	if !f.scan(b, sawType|sawSeq|sawData|sawItem|sawPos|sawRe) {
		return nil
	}
	data, ok := decode64(nil, f.data)
	if !ok {
		return nil
	}
	return &AudioOut{Serial: Serial{f.seq}, Data: data, ItemID: string(f.item), Pos: f.pos, Re: f.re}
}

// scan reads all of b: one object with type audio_chunk, data, and others of the allowed
// fields, each at most once. false: declined.
func (f *audioFields) scan(b []byte, allowed uint8) bool {
	i, ok := expect(b, 0, '{')
	for ok {
		var key []byte
		if key, i, ok = plain(b, i); !ok {
			return false
		}
		if i, ok = expect(b, i, ':'); !ok {
			return false
		}
		bit, next := f.field(string(key), b, i)
		if bit == 0 || bit&allowed == 0 || bit&f.seen != 0 {
			return false
		}
		f.seen |= bit
		i = space(b, next)
		if i < len(b) && b[i] == '}' {
			return space(b, i+1) == len(b) && f.seen&(sawType|sawData) == sawType|sawData
		}
		i, ok = expect(b, i, ',')
	}
	return false
}

// field reads one field's value at i and tells which it was and where it ends; 0: declined.
func (f *audioFields) field(key string, b []byte, i int) (bit uint8, next int) {
	var ok bool
	switch key {
	case "type":
		var name []byte
		name, next, ok = plain(b, i)
		bit, ok = sawType, ok && string(name) == audioChunk
	case "seq":
		f.seq, next, ok = digits(b, i)
		bit = sawSeq
	case "data":
		f.data, next, ok = quoted(b, i)
		bit = sawData
	case "id":
		f.id, next, ok = plain(b, i)
		bit = sawID
	case "item_id":
		f.item, next, ok = plain(b, i)
		bit = sawItem
	case "pos":
		f.pos, next, ok = digits(b, i)
		bit = sawPos
	case "re":
		f.re, next, ok = digits(b, i)
		bit = sawRe
	}
	if !ok {
		return 0, i
	}
	return bit, next
}

// space skips JSON's white space from i on.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// expect skips white space, c, and white space again.
func expect(b []byte, i int, c byte) (next int, ok bool) {
	if i = space(b, i); i >= len(b) || b[i] != c {
		return i, false
	}
	return space(b, i+1), true
}

// plain reads a string of printable ASCII without escapes, as most are.
func plain(b []byte, i int) (s []byte, next int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		return nil, i, false
	}
	i++
	for j := i; j < len(b); j++ {
		switch c := b[j]; {
		case c == '"':
			return b[i:j], j + 1, true
		case c < ' ' || c > '~' || c == '\\':
			return nil, i, false
		}
	}
	return nil, i, false
}

// quoted reads up to the next quote; what is between is for the base64 decoder to judge, which
// takes neither escapes nor control characters.
func quoted(b []byte, i int) (s []byte, next int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		return nil, i, false
	}
	i++
	n := bytes.IndexByte(b[i:], '"')
	if n < 0 {
		return nil, i, false
	}
	return b[i : i+n], i + n + 1, true
}

// digits reads an integer from 0 to MaxSeq.
func digits(b []byte, i int) (n int64, next int, ok bool) {
	start := i
	for i < len(b) && b[i]-'0' <= 9 && i-start < 17 {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	leadingZero := i-start > 1 && b[start] == '0'
	return n, i, i > start && !leadingZero && n <= MaxSeq
}
