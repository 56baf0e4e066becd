package proto

import (
	"encoding/base64"

	"github.com/cloudwego/base64x"
)

// simdSlack is how many bytes beyond its result the SIMD decoder may use of a buffer; with
// less it finishes byte by byte. It never writes beyond the buffer's capacity.
const simdSlack = 32

var strict64 = base64.StdEncoding.Strict()

// decode64 fills Data from base64 in the standard alphabet with padding, and nothing else.
func (a *AudioIn) decode64(src []byte) bool {
	p, ok := decode64(a.Data, src)
	a.Data = p
	return ok
}

// decode64 decodes src into dst's capacity, or into a new buffer where that is too small.
func decode64(dst, src []byte) ([]byte, bool) {
	if len(src) == 0 {
		return dst[:0], true
	}
	if len(src)%4 != 0 {
		return dst[:0], false
	}
	want := len(src) / 4 * 3
	if cap(dst) < want+simdSlack {
		dst = make([]byte, 0, want+simdSlack)
	}
	switch n := len(src); {
	case src[n-2] == '=':
		want -= 2
	case src[n-1] == '=':
		want--
	}
	out := dst[:0]
	// It skips line breaks, and takes some unfinished padding: then n is too small.
	if n, err := base64x.StdEncoding.DecodeUnsafe(&out, src); err != nil || n != want {
		return dst[:0], false
	}
	// It ignores the bits after the last byte. They must be zero.
	var last [3]byte
	if _, err := strict64.Decode(last[:], src[len(src)-4:]); err != nil {
		return dst[:0], false
	}
	return out, true
}

// append64 appends src in base64. dst must have the capacity for it.
func append64(dst, src []byte) []byte {
	if len(src) > 0 {
		base64x.StdEncoding.EncodeUnsafe(&dst, src)
	}
	return dst
}
