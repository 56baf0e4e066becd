package load

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"time"

	"aila/proto"
)

// recording is what clients say: a loop of frames, no two of which are alike. It never changes.
type recording struct {
	format  proto.Format
	frames  [][]byte
	samples int64 // per channel, in each frame

	seed  maphash.Seed
	index map[uint64]int32 // from the hash of a frame to its place
}

// find gives the place of a frame by its samples.
func (r *recording) find(data []byte) (int32, bool) {
	i, ok := r.index[maphash.Bytes(r.seed, data)]
	return i, ok
}

// record cuts audio into frames of the session's format.
func record(o Options) (*recording, error) {
	r := &recording{format: o.Format, seed: maphash.MakeSeed(), index: map[uint64]int32{}}
	r.samples = int64(o.Frame) * int64(o.Format.SampleRate) / int64(time.Second)
	rng := rand.New(rand.NewPCG(o.Seed, 'a'))
	if o.Format.Encoding == "opus" {
		if err := r.packets(o.Frame, rng); err != nil {
			return nil, err
		}
		return r, nil
	}
	pcm := convert(samplesOf(o.Audio), o.Source, o.Format)
	step := int(r.samples) * o.Format.Channels
	for len(pcm) >= step {
		r.add(encode(pcm[:step], o.Format.Encoding), rng)
		pcm = pcm[step:]
	}
	if len(r.frames) == 0 {
		return nil, errors.New("the recording is shorter than one frame")
	}
	return r, nil
}

// add appends a frame. One that was there before, as silence often is, is changed in the
// lowest bits until it is not: each echo must tell which frame it is of.
func (r *recording) add(frame []byte, rng *rand.Rand) {
	for {
		if _, known := r.find(frame); !known {
			break
		}
		frame[rng.IntN(len(frame)/2)*2] ^= 1 << rng.IntN(3)
	}
	r.index[maphash.Bytes(r.seed, frame)] = int32(len(r.frames))
	r.frames = append(r.frames, frame)
}

// packets makes noise that looks like Opus from outside: 20 s of packets of about 32 kbit/s.
func (r *recording) packets(frame time.Duration, rng *rand.Rand) error {
	toc, ok := map[time.Duration]byte{
		10 * time.Millisecond: 30 << 3, 20 * time.Millisecond: 31 << 3, // CELT, fullband
		40 * time.Millisecond: 10 << 3, 60 * time.Millisecond: 11 << 3, // SILK, wideband
	}[frame]
	if !ok {
		return errors.New("opus packets are of 10, 20, 40 or 60 ms")
	}
	for range 20 * time.Second / frame {
		p := make([]byte, max(8, int(frame.Milliseconds())*4+rng.IntN(16)-8))
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		p[0] = toc
		r.index[maphash.Bytes(r.seed, p)] = int32(len(r.frames))
		r.frames = append(r.frames, p)
	}
	return nil
}

func samplesOf(b []byte) []int16 {
	s := make([]int16, len(b)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return s
}

// convert brings samples to another rate, by straight lines between them, and to another
// number of channels. It is good enough to be heard, and the same each time.
func convert(in []int16, from, to proto.Format) []int16 {
	if from.SampleRate == to.SampleRate && from.Channels == to.Channels {
		return in
	}
	channel := func(i int64, c int) float64 {
		if from.Channels == to.Channels {
			return float64(in[i*int64(from.Channels)+int64(c)])
		}
		if from.Channels == 1 {
			return float64(in[i])
		}
		return (float64(in[2*i]) + float64(in[2*i+1])) / 2
	}
	have := int64(len(in) / from.Channels)
	n := have * int64(to.SampleRate) / int64(from.SampleRate)
	out := make([]int16, 0, n*int64(to.Channels))
	for i := range n {
		at := float64(i) * float64(from.SampleRate) / float64(to.SampleRate)
		left := int64(at)
		next := min(left+1, have-1)
		for c := range to.Channels {
			a, b := channel(left, c), channel(next, c)
			out = append(out, int16(a+(b-a)*(at-float64(left))))
		}
	}
	return out
}

// encode writes samples as the encoding wants them.
func encode(pcm []int16, encoding string) []byte {
	switch encoding {
	case "pcmu":
		return each(pcm, muLaw)
	case "pcma":
		return each(pcm, aLaw)
	}
	out := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		out = binary.LittleEndian.AppendUint16(out, uint16(s))
	}
	return out
}

func each(pcm []int16, law func(int16) byte) []byte {
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		out[i] = law(s)
	}
	return out
}

// muLaw is ITU-T G.711 for the Americas.
func muLaw(s int16) byte {
	x, sign := int(s), byte(0)
	if x < 0 {
		x, sign = -x, 0x80
	}
	x = min(x, 32635) + 132
	exponent := 7
	for mask := 0x4000; x&mask == 0 && exponent > 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent<<4) | byte(x>>(exponent+3))&15)
}

// aLaw is ITU-T G.711 for the rest.
func aLaw(s int16) byte {
	x, sign := int(s), byte(0x80)
	if x < 0 {
		x, sign = -x-1, 0
	}
	exponent := 7
	for mask := 0x4000; x&mask == 0 && exponent > 0; mask >>= 1 {
		exponent--
	}
	mantissa := byte(x>>4) & 15
	if exponent > 0 {
		mantissa = byte(x>>(exponent+3)) & 15
	}
	return (sign | byte(exponent<<4) | mantissa) ^ 0x55
}
