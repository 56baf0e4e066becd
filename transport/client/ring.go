package client

import (
	"sync"

	"aila/proto"
)

// ring holds the numbered messages that are not yet acknowledged, in order. The zero ring is
// empty. It belongs to whoever holds the session's lock.
type ring struct {
	slots   []entry // a power of two long
	head    int     // where the oldest lies
	n       int
	first   int64 // the number of the oldest, or of the next to come where there is none
	bytes   int
	samples int64
	pushed  int64 // bytes ever pushed
}

// entry is one message: audio, or anything else.
type entry struct {
	msg     proto.Numbered // nil: audio
	data    []byte         // of audio
	pooled  *[]byte        // what data lies in, where it is ours
	samples int64          // per channel, of audio and gaps
	bytes   int
	before  int64 // bytes pushed before it
}

// chunks are the copies of audio that rings hold.
var chunks = sync.Pool{New: func() any { return new([]byte) }}

// copied makes an entry of audio that the caller goes on to use.
func copied(pcm []byte, samples int64) entry {
	p := chunks.Get().(*[]byte)
	*p = append((*p)[:0], pcm...)
	return entry{data: *p, pooled: p, samples: samples, bytes: len(pcm)}
}

func (e *entry) release() {
	if e.pooled != nil {
		chunks.Put(e.pooled)
	}
	*e = entry{}
}

// push appends e and gives its number.
func (r *ring) push(e entry) int64 {
	if r.n == len(r.slots) {
		r.grow()
	}
	if r.first == 0 {
		r.first = 1
	}
	e.before = r.pushed
	r.pushed += int64(e.bytes)
	r.slots[(r.head+r.n)&(len(r.slots)-1)] = e
	r.n++
	r.bytes += e.bytes
	r.samples += e.samples
	return r.first + int64(r.n) - 1
}

func (r *ring) grow() {
	slots := make([]entry, max(16, 2*len(r.slots)))
	for i := range r.n {
		slots[i] = r.slots[(r.head+i)&(len(r.slots)-1)]
	}
	r.slots, r.head = slots, 0
}

// at gives the message with that number; nil: it is not there.
func (r *ring) at(seq int64) *entry {
	if seq < r.first || seq >= r.first+int64(r.n) {
		return nil
	}
	return &r.slots[(r.head+int(seq-r.first))&(len(r.slots)-1)]
}

// drop forgets all up to seq and tells how many there were.
func (r *ring) drop(seq int64) int {
	dropped := 0
	for r.n > 0 && r.first <= seq {
		e := &r.slots[r.head]
		r.bytes -= e.bytes
		r.samples -= e.samples
		e.release()
		r.head = (r.head + 1) & (len(r.slots) - 1)
		r.n--
		r.first++
		dropped++
	}
	if r.n == 0 && len(r.slots) > 64 {
		r.slots, r.head = nil, 0 // one long outage must not pin its memory for ever
	}
	return dropped
}

// between gives how many bytes were pushed from one number up to, but without, another.
func (r *ring) between(from, to int64) int64 {
	return r.before(to) - r.before(from)
}

func (r *ring) before(seq int64) int64 {
	if e := r.at(seq); e != nil {
		return e.before
	}
	return r.pushed
}

// replace puts a message in the place of another, under the same number.
func (r *ring) replace(seq int64, with entry) {
	e := r.at(seq)
	r.bytes += with.bytes - e.bytes
	r.samples += with.samples - e.samples
	with.before = e.before
	e.release()
	*e = with
}
