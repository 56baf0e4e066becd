package proto

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Binary audio (section 7 of the protocol): a header of 16 bytes, big-endian, then the samples.
//
//	0 kind | 1 flags | 2-3 item | 4-7 seq, the low 32 bits | 8-15 pos
const headerBytes = 16

// The kinds of a binary message.
const (
	kindClientAudio = 1
	kindServerAudio = 2
)

// Nearest resolves the low 32 bits of a sequence number, as binary frames carry them, to the
// value nearest to next, the next expected one.
func Nearest(low uint32, next int64) int64 {
	return next + int64(int32(low-uint32(next)))
}

// DecodeBinary parses one binary message from a client into *AudioIn or *Refused. b is only
// read, and not kept.
func DecodeBinary(b []byte) Inbound {
	if len(b) < headerBytes {
		// Whatever it was meant to be, its number is not known.
		return refuse(Head{}, BadAudio, "binary message shorter than its header of 16 bytes")
	}
	low := binary.BigEndian.Uint32(b[4:])
	head := Head{Seq: int64(low), Wrapped: low != 0}
	var wrong string
	switch {
	case b[0] != kindClientAudio:
		wrong = "binary message of an unknown kind"
	case b[1] != 0:
		wrong = "binary message with flags"
	case b[2] != 0 || b[3] != 0:
		wrong = "binary audio of a client with an item"
	}
	if wrong != "" {
		r := refuse(head, BadAudio, wrong)
		r.Numbered = b[0] == kindClientAudio
		return r
	}
	a := NewAudioIn()
	a.Head, a.Binary = head, true
	a.Data = append(a.Data, b[headerBytes:]...)
	return a
}

// AppendBinary appends a as one binary message.
func AppendBinary(dst []byte, a *AudioOut) []byte {
	return appendBinary(dst, kindServerAudio, a.Item, a.Seq, a.Pos, a.Data)
}

// AppendInboundBinary appends a as one binary message, as a client sends it.
func AppendInboundBinary(dst []byte, a *AudioIn) []byte {
	return appendBinary(dst, kindClientAudio, 0, a.Seq, 0, a.Data)
}

func appendBinary(dst []byte, kind byte, item uint16, seq, pos int64, data []byte) []byte {
	dst = slices.Grow(dst, headerBytes+len(data))
	dst = append(dst, kind, 0)
	dst = binary.BigEndian.AppendUint16(dst, item)
	dst = binary.BigEndian.AppendUint32(dst, uint32(seq))
	dst = binary.BigEndian.AppendUint64(dst, uint64(pos))
	return append(dst, data...)
}

// DecodeOutboundBinary parses one binary message from a server; seq is resolved against next,
// the next seq that the client expects. b is only read, and not kept. A kind that is not
// known gives ErrUnknown.
func DecodeOutboundBinary(b []byte, next int64) (*AudioOut, error) {
	if len(b) < headerBytes {
		return nil, errors.New("binary message of the server shorter than its header")
	}
	if b[0] != kindServerAudio || b[1] != 0 {
		return nil, ErrUnknown
	}
	return &AudioOut{
		Serial: Serial{Nearest(binary.BigEndian.Uint32(b[4:]), next)},
		Item:   binary.BigEndian.Uint16(b[2:]),
		Pos:    int64(binary.BigEndian.Uint64(b[8:])),
		Data:   slices.Clone(b[headerBytes:]),
	}, nil
}
