package proto

import (
	"fmt"
	"time"
)

// Format is how audio is encoded, the same in both directions of a session.
// The zero Format means DefaultFormat.
type Format struct {
	// Encoding is one of pcm16 (little-endian), pcmu, pcma (G.711) and opus.
	Encoding string `json:"encoding"`
	// SampleRate is in samples per second and channel.
	SampleRate int `json:"sample_rate"`
	// Channels is 1, or 2 interleaved.
	Channels int `json:"channels"`
}

// DefaultFormat is what a session speaks whose start names no audio.
var DefaultFormat = Format{Encoding: "pcm16", SampleRate: 24000, Channels: 1}

// FormatsSupported says in words what Supported accepts, for the error that refuses a format.
const FormatsSupported = "pcm16 at 8000, 16000, 24000, 44100 or 48000 with 1 or 2 channels; pcmu or pcma at 8000 with 1; opus at 48000 with 1 or 2"

// The shortest and the longest audio message.
const (
	MinChunk = 10 * time.Millisecond
	MaxChunk = 1000 * time.Millisecond
)

// Supported tells whether a session can be had in f.
func (f Format) Supported() bool {
	stereo := f.Channels == 1 || f.Channels == 2
	switch f.Encoding {
	case "pcm16":
		switch f.SampleRate {
		case 8000, 16000, 24000, 44100, 48000:
			return stereo
		}
		return false
	case "pcmu", "pcma":
		return f.SampleRate == 8000 && f.Channels == 1
	case "opus":
		return f.SampleRate == 48000 && stereo
	}
	return false
}

// Samples counts the samples per channel in one message of audio. The error says what is
// wrong with it in the words of the protocol; it is nil for 10 to 1000 ms of whole samples.
// f must be Supported.
func (f Format) Samples(p []byte) (int64, error) {
	var n int64
	switch f.Encoding {
	case "pcm16":
		size := 2 * max(f.Channels, 1)
		if len(p)%size != 0 {
			return 0, fmt.Errorf("%d bytes are not whole samples of %d channels", len(p), f.Channels)
		}
		n = int64(len(p) / size)
	case "opus":
		m, err := opusSamples(p)
		if err != nil {
			return 0, err
		}
		n = m
	default:
		n = int64(len(p))
	}
	switch d := f.Duration(n); {
	case n == 0:
		return 0, fmt.Errorf("no audio")
	case d < MinChunk:
		return 0, fmt.Errorf("shorter than 10 ms")
	case d > MaxChunk:
		return 0, fmt.Errorf("longer than 1000 ms")
	}
	return n, nil
}

// Duration is how long samples (per channel) last.
func (f Format) Duration(samples int64) time.Duration {
	if f.SampleRate <= 0 {
		return 0
	}
	rate := int64(f.SampleRate)
	return time.Duration(samples/rate)*time.Second + time.Duration(samples%rate)*time.Second/time.Duration(rate)
}

// opusSamples reads the length of an Opus packet at 48 kHz from its first bytes (RFC 6716,
// section 3.1 for the frame size, 3.2 for the number of frames).
func opusSamples(p []byte) (int64, error) {
	if len(p) == 0 {
		return 0, fmt.Errorf("no audio")
	}
	var frame int64
	switch config := p[0] >> 3; {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		frame = [4]int64{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		frame = [2]int64{480, 960}[config&1]
	default: // CELT: 2.5, 5, 10, 20 ms
		frame = [4]int64{120, 240, 480, 960}[config&3]
	}
	count := int64(1)
	switch p[0] & 3 {
	case 1, 2:
		count = 2
	case 3:
		if len(p) < 2 || p[1]&63 == 0 {
			return 0, fmt.Errorf("an opus packet without frames")
		}
		count = int64(p[1] & 63)
	}
	if n := frame * count; n <= 5760 { // 120 ms, RFC 6716 section 3.2.5, R5
		return n, nil
	}
	return 0, fmt.Errorf("an opus packet over 120 ms")
}
