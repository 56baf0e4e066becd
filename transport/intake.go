package transport

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"aila/proto"
)

// intakeSize is how much is read at once, in bytes.
const intakeSize = 16 << 10

// errDry is what the library gets when it asks for more than was shown to it.
var errDry = errors.New("no whole message is here")

var intakeBuffers = sync.Pool{New: func() any { b := make([]byte, intakeSize); return &b }}

// intake is what was read of a client and not yet understood. It holds a buffer only while
// there is something in it. It belongs to the read loop.
type intake struct {
	inspector
	buf   *[]byte
	taken int         // what lies before was heard, or shown to the library
	end   int         // what was read ends here
	bad   proto.Close // what the frame after whole deserves
	short bool        // the last read gave less than there was room for
}

// fill reads once from r, which does not wait, and looks at what came.
func (in *intake) fill(r io.Reader, now time.Duration) (int, error) {
	in.room()
	room := (*in.buf)[in.end:]
	n, err := r.Read(room)
	if n > 0 {
		in.short = n < len(room)
		in.end += n
		in.bad = in.look((*in.buf)[:in.end], now)
	}
	return n, err
}

// preload takes what came along with the handshake.
func (in *intake) preload(b []byte) {
	for len(b) > 0 {
		in.room()
		n := copy((*in.buf)[in.end:], b)
		in.end += n
		b = b[n:]
	}
	if in.buf != nil {
		in.bad = in.look((*in.buf)[:in.end], 0)
	}
}

// room makes sure that there is a buffer and space in it.
func (in *intake) room() {
	if in.buf == nil {
		in.buf = intakeBuffers.Get().(*[]byte)
		return
	}
	b := *in.buf
	if in.taken > 0 {
		copy(b, b[in.taken:in.end])
		in.drop(in.taken)
		in.end -= in.taken
		in.taken = 0
	}
	if in.end == len(b) {
		// A long message grows as its bytes come, never by what it announces.
		larger := make([]byte, 2*len(b))
		copy(larger, b)
		in.release()
		in.buf = &larger
	}
}

// ready tells whether there is a whole message or control frame that was not taken.
func (in *intake) ready() bool { return in.taken < in.whole }

// single takes the frame that begins here, unless it is for the library: a part of a message,
// or a close. Its payload is unmasked, and valid until the next fill. What lies before the frame
// must have been taken.
func (in *intake) single() (op byte, p []byte, ok bool) {
	b := (*in.buf)[in.taken:in.whole]
	h, _ := parseHeader(b)
	if !h.fin || h.op == opClose {
		return 0, nil, false
	}
	p = b[h.length : h.length+int(h.size)]
	in.taken += h.length + len(p)
	unmask(p, h.mask)
	return h.op, p, true
}

// partial tells whether part of a message or frame is there.
func (in *intake) partial() bool { return in.end > in.whole }

// rest gives the buffer back when it is empty: nothing more is to be read for now.
func (in *intake) rest() {
	if in.buf == nil || in.taken < in.end {
		return
	}
	// What was read and taken may end before the next frame's place: never, a frame is
	// shown only when all of it is here.
	in.drop(in.taken)
	in.taken, in.end = 0, 0
	in.release()
}

// release gives the buffer back, whatever is in it.
func (in *intake) release() {
	if in.buf != nil && len(*in.buf) == intakeSize {
		intakeBuffers.Put(in.buf)
	}
	in.buf = nil
}

// wire is the connection as the library sees it: it reads what the intake shows, and writes
// control frames.
type wire struct {
	net.Conn
	socket *socket
}

// Read never waits: it returns errDry.
func (w wire) Read(b []byte) (int, error) {
	in := &w.socket.in
	if !in.ready() {
		return 0, errDry
	}
	n := copy(b, (*in.buf)[in.taken:in.whole])
	in.taken += n
	return n, nil
}

// Write sends one control frame.
func (w wire) Write(b []byte) (int, error) {
	w.socket.control(b)
	return len(b), nil
}

// Close does nothing: the socket closes the connection when its turn has come.
func (w wire) Close() error { return nil }
