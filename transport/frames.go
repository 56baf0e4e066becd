package transport

import (
	"encoding/binary"
	"time"
	"unicode/utf8"

	"aila/proto"
)

// Bounds on a client's frames.
const (
	maxFragments = 64
	maxControl   = 125 // bytes of payload, RFC 6455 section 5.5
	pingRate     = 5   // a second
	pingBurst    = 20
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// inspector reads the frame headers of a client, which the library hides or is lenient
// about, and says how far the bytes may be heard: up to where a whole message or control frame
// ends. Offsets are into the intake's buffer.
type inspector struct {
	maxMessage int64

	whole int  // whole messages and control frames end here
	next  int  // the next header begins here, maybe beyond what was read
	last  bool // the frame that ends at next is the last of its message

	open   bool // within a message
	size   int64
	frames int
	ended  bool // the client's close frame was seen

	pings  float64       // pings spent of pingBurst, less what came back since
	pinged time.Duration // when pings was counted
}

// look inspects what was added to b and returns the close that it deserves, or none. What
// lies before the bad frame may still be shown.
func (f *inspector) look(b []byte, now time.Duration) proto.Close {
	for !f.ended && f.next <= len(b) {
		if f.last {
			f.last, f.open = false, false
			f.whole = f.next
		}
		h, known := parseHeader(b[f.next:])
		if !known {
			return proto.Close{}
		}
		if c := f.check(h); c.Code != 0 {
			return c
		}
		if h.length == 0 {
			return proto.Close{}
		}
		if h.op >= opClose {
			if len(b)-f.next < h.length+int(h.size) {
				return proto.Close{}
			}
			if c := f.control(h, b[f.next+h.length:], now); c.Code != 0 {
				return c
			}
			continue
		}
		if c := f.data(h); c.Code != 0 {
			return c
		}
	}
	return proto.Close{}
}

// check finds what is wrong with a header by itself. It may be called again for one that was
// not all there.
func (f *inspector) check(h header) proto.Close {
	switch {
	case h.reserved, !h.masked, h.size < 0:
		return proto.CloseProtocol
	case h.op > opBinary && h.op < opClose, h.op > opPong:
		return proto.CloseProtocol
	case h.op >= opClose && (!h.fin || h.size > maxControl):
		return proto.CloseProtocol
	case h.op == opContinuation && !f.open, h.op != opContinuation && h.op < opClose && f.open:
		return proto.CloseProtocol
	}
	return proto.Close{}
}

// data takes note of a data frame's header.
func (f *inspector) data(h header) proto.Close {
	if !f.open {
		f.open, f.size, f.frames = true, 0, 0
	}
	f.frames++
	if f.frames > maxFragments {
		return proto.CloseFragments
	}
	if h.size > f.maxMessage-f.size {
		return proto.CloseTooBig
	}
	f.size += h.size
	f.last = h.fin
	f.next += h.length + int(h.size)
	return proto.Close{}
}

// control judges a control frame that is all there.
func (f *inspector) control(h header, b []byte, now time.Duration) proto.Close {
	switch h.op {
	case opPing:
		if !f.allowPing(now) {
			return proto.ClosePingFlood
		}
	case opClose:
		if c := judgeClose(h, b); c.Code != 0 {
			return c
		}
		f.ended = true
	}
	f.next += h.length + int(h.size)
	if !f.open || f.ended {
		f.whole = f.next
	}
	return proto.Close{}
}

// allowPing spends one ping of the bucket.
func (f *inspector) allowPing(now time.Duration) bool {
	f.pings = max(0, f.pings-(now-f.pinged).Seconds()*pingRate)
	f.pinged = now
	if f.pings+1 > pingBurst {
		return false
	}
	f.pings++
	return true
}

// drop forgets the first n bytes of the buffer.
func (f *inspector) drop(n int) {
	f.whole -= n
	f.next -= n
}

// judgeClose finds what is wrong with the payload of a close frame.
func judgeClose(h header, b []byte) proto.Close {
	if h.size == 0 {
		return proto.Close{}
	}
	if h.size == 1 {
		return proto.CloseProtocol
	}
	var plain [maxControl]byte
	p := plain[:copy(plain[:h.size], b)]
	unmask(p, h.mask)
	switch code := binary.BigEndian.Uint16(p); {
	case code >= 3000 && code <= 4999:
	case code < 1000, code > 1014, code >= 1004 && code <= 1006:
		return proto.CloseProtocol
	}
	if !utf8.Valid(p[2:]) {
		return proto.CloseBadUTF8
	}
	return proto.Close{}
}

// header is the header of one frame.
type header struct {
	fin, masked, reserved bool
	op                    byte
	size                  int64 // of the payload; negative: the top bit was set
	length                int   // of the header; 0: the rest of it is not there yet
	mask                  [4]byte
}

// parseHeader reads a frame header. known says that at least its first two bytes are there;
// until length is not 0, size is 0 unless it is in them.
func parseHeader(b []byte) (h header, known bool) {
	if len(b) < 2 {
		return header{}, false
	}
	h.fin, h.reserved, h.op = b[0]&0x80 != 0, b[0]&0x70 != 0, b[0]&0x0f
	h.masked = b[1]&0x80 != 0
	n := 2
	switch size := b[1] & 0x7f; size {
	case 126:
		n = 4
		h.size = maxControl + 1 // at least; enough to refuse a control frame
		if len(b) >= n {
			h.size = int64(binary.BigEndian.Uint16(b[2:]))
		}
	case 127:
		n = 10
		h.size = maxControl + 1
		if len(b) >= n {
			h.size = int64(binary.BigEndian.Uint64(b[2:]))
		}
	default:
		h.size = int64(size)
	}
	if len(b) < n+4 {
		return h, true
	}
	copy(h.mask[:], b[n:])
	h.length = n + 4
	return h, true
}

// unmask undoes the masking of a payload (RFC 6455, section 5.3), in place.
func unmask(p []byte, mask [4]byte) {
	le := binary.LittleEndian
	key := uint64(le.Uint32(mask[:]))
	key |= key << 32
	for ; len(p) >= 32; p = p[32:] {
		le.PutUint64(p, le.Uint64(p)^key)
		le.PutUint64(p[8:], le.Uint64(p[8:])^key)
		le.PutUint64(p[16:], le.Uint64(p[16:])^key)
		le.PutUint64(p[24:], le.Uint64(p[24:])^key)
	}
	for ; len(p) >= 8; p = p[8:] {
		le.PutUint64(p, le.Uint64(p)^key)
	}
	for i := range p {
		p[i] ^= mask[i&3]
	}
}
