package actors

import (
	"sync"

	"aila/proto"
)

// replay keeps every sequenced message, encoded as it was sent, until the client has
// acknowledged it: what a resume sends again is the same bytes. The newest message is encoded
// in place, and audio goes into slabs shared by a dozen messages, so that a talking session
// that acknowledges allocates nothing.
//
// It belongs to the client actor.
type replay struct {
	entries []entry // ring; its length is a power of two, or 0
	head    int
	n       int
	first   int64 // seq of the oldest entry; the next one when empty
	bytes   int64 // of all entries
	samples int64 // of audio in all entries
	slab    *slab // where the next audio goes; nil: none
}

// entry is one message as it goes to the socket.
type entry struct {
	data    []byte
	slab    *slab // whose memory data is; nil: its own
	samples int64
	binary  bool
}

// slab is memory for several messages. live counts those still kept.
type slab struct {
	buf  []byte
	live int
}

const slabBytes = 16 << 10

var slabs = sync.Pool{New: func() any { return &slab{buf: make([]byte, 0, slabBytes)} }}

// last is the newest seq that was kept; 0: none yet.
func (r *replay) last() int64 { return r.first + int64(r.n) - 1 }

// keepAudio encodes a and keeps it.
func (r *replay) keepAudio(a *proto.AudioOut, samples int64, binary bool) entry {
	need := len(a.Data)*4/3 + len(a.ItemID) + 160
	if binary {
		need = len(a.Data) + 16
	}
	e := entry{samples: samples, binary: binary}
	var dst []byte
	if need <= slabBytes {
		if r.slab == nil || cap(r.slab.buf)-len(r.slab.buf) < need {
			r.turnSlab()
		}
		e.slab = r.slab
		dst = r.slab.buf[len(r.slab.buf):len(r.slab.buf)]
	}
	if binary {
		e.data = proto.AppendBinary(dst, a)
	} else {
		e.data = proto.Append(dst, a)
	}
	switch {
	case e.slab == nil:
	case len(e.data) > cap(dst): // the estimate was short: the codec took memory of its own
		e.slab = nil
	default:
		e.slab.buf = e.slab.buf[:len(e.slab.buf)+len(e.data)]
		e.data = e.data[:len(e.data):len(e.data)]
		e.slab.live++
	}
	r.push(e)
	return e
}

// keep encodes m and keeps it.
func (r *replay) keep(m proto.Sequenced) entry {
	e := entry{data: proto.Append(nil, m)}
	r.push(e)
	return e
}

// forget drops everything up to seq, which the client has.
func (r *replay) forget(seq int64) {
	for r.n > 0 && r.first <= seq {
		r.pop()
	}
	if r.n == 0 && r.slab != nil {
		r.dropSlab()
	}
}

// over tells whether more is kept than may be: over 1 MiB and over 30 s of audio.
func (r *replay) over(f proto.Format) bool {
	return r.bytes > replayBytes && f.Duration(r.samples) > replayAudio
}

// from visits the messages after seq, in order.
func (r *replay) from(seq int64, visit func(entry)) {
	for i := max(0, seq+1-r.first); i < int64(r.n); i++ {
		visit(r.entries[(r.head+int(i))&(len(r.entries)-1)])
	}
}

// release gives all memory back.
func (r *replay) release() { r.forget(r.last()) }

func (r *replay) push(e entry) {
	if r.n == len(r.entries) {
		ring := make([]entry, max(4, 2*len(r.entries)))
		for i := range r.n {
			ring[i] = r.entries[(r.head+i)&(len(r.entries)-1)]
		}
		r.entries, r.head = ring, 0
	}
	r.entries[(r.head+r.n)&(len(r.entries)-1)] = e
	r.n++
	r.bytes += int64(len(e.data))
	r.samples += e.samples
}

func (r *replay) pop() {
	e := &r.entries[r.head]
	r.bytes -= int64(len(e.data))
	r.samples -= e.samples
	if s := e.slab; s != nil {
		if s.live--; s.live == 0 && s != r.slab {
			s.buf = s.buf[:0]
			slabs.Put(s)
		}
	}
	*e = entry{}
	r.head = (r.head + 1) & (len(r.entries) - 1)
	r.n--
	r.first++
	if r.n == 0 && len(r.entries) > keepRing {
		r.entries, r.head = nil, 0
	}
}

// turnSlab begins a new slab; the full one goes when its last message does.
func (r *replay) turnSlab() {
	if r.slab != nil && r.slab.live == 0 {
		r.slab.buf = r.slab.buf[:0]
		return
	}
	r.slab = slabs.Get().(*slab)
}

func (r *replay) dropSlab() {
	r.slab.buf = r.slab.buf[:0]
	slabs.Put(r.slab)
	r.slab = nil
}
