package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"aila/proto"
)

// recording is audio to be said: samples of 16 bits in a format that a session can be had in.
type recording struct {
	format proto.Format
	// samples per channel that are to come; below 0: nobody knows.
	samples int64
	r       io.Reader
}

// RIFF knows these ways of saying: plain samples.
const (
	wavPCM        = 1
	wavExtensible = 0xFFFE
)

// wavOpen is the size of what was not finished when its header was written, as by a pipe.
const wavOpen = math.MaxUint32

// readWAV reads up to the samples of a WAV file: RIFF, PCM of 16 bits, mono or stereo.
func readWAV(r io.Reader) (recording, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return recording{}, errors.New("not a WAV file")
	}
	s := recording{}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return recording{}, errors.New("a WAV file without samples")
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			f, err := readWAVFormat(r, size)
			if err != nil {
				return recording{}, err
			}
			s.format = f
		case "data":
			return s.from(r, size)
		default:
			// A chunk of odd length has a byte of padding. A file that ends in a chunk has no samples.
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return recording{}, errors.New("a WAV file without samples")
			}
		}
	}
}

// from gives the recording of so many bytes of samples.
func (s recording) from(r io.Reader, size int64) (recording, error) {
	if s.format.Channels == 0 {
		return recording{}, errors.New("a WAV file whose samples come before their format")
	}
	s.r, s.samples = r, -1
	if size != 0 && size != wavOpen {
		frame := int64(2 * s.format.Channels)
		s.r, s.samples = io.LimitReader(r, size-size%frame), size/frame
	}
	return s, nil
}

func readWAVFormat(r io.Reader, size int64) (proto.Format, error) {
	if size < 16 || size > 1<<10 {
		return proto.Format{}, errors.New("a WAV file with a broken format")
	}
	b := make([]byte, size+size&1)
	if _, err := io.ReadFull(r, b); err != nil {
		return proto.Format{}, errors.New("a WAV file with a broken format")
	}
	tag := binary.LittleEndian.Uint16(b)
	if tag == wavExtensible && size >= 40 {
		tag = binary.LittleEndian.Uint16(b[24:]) // the first bytes of its GUID say the same
	}
	bits := binary.LittleEndian.Uint16(b[14:])
	f := proto.Format{
		Encoding:   "pcm16",
		SampleRate: int(binary.LittleEndian.Uint32(b[4:])),
		Channels:   int(binary.LittleEndian.Uint16(b[2:])),
	}
	if tag != wavPCM || bits != 16 {
		return proto.Format{}, fmt.Errorf("a WAV file of %d bits in encoding %d; want PCM of 16 bits, as from: ffmpeg -i FILE -c:a pcm_s16le -ar 24000 -ac 1 out.wav", bits, tag)
	}
	if !f.Supported() {
		return proto.Format{}, fmt.Errorf("a WAV file of %d Hz with %d channels; supported are %s", f.SampleRate, f.Channels, proto.FormatsSupported)
	}
	return f, nil
}

// readInput reads a WAV file, or where the input is none, samples as they are in format f.
func readInput(r io.Reader, f proto.Format) (recording, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, err := b.Peek(4); err == nil && string(head) == "RIFF" {
		return readWAV(b)
	}
	if !f.Supported() {
		return recording{}, usageError{fmt.Errorf("samples of %d Hz with %d channels; supported are %s", f.SampleRate, f.Channels, proto.FormatsSupported)}
	}
	return recording{format: f, samples: -1, r: b}, nil
}

// next reads the next chunk of at most len(b) bytes, the last of which may be short: then it
// is padded with silence to the shortest chunk there is. io.EOF: there is no more.
func (s recording) next(b []byte) ([]byte, error) {
	n, err := io.ReadFull(s.r, b)
	n -= n % (2 * s.format.Channels)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || n == 0 {
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return nil, err
	}
	least := min(len(b), 2*s.format.Channels*s.format.SampleRate/100)
	if n < least {
		clear(b[n:least])
		n = least
	}
	return b[:n], nil
}

// wavWriter writes samples into a WAV file. Its header tells the length once it is closed; a
// file that never was is played to its end by most players all the same.
type wavWriter struct {
	f     *os.File
	w     *bufio.Writer
	bytes int64
}

// createWAV makes the file, or empties it.
func createWAV(name string, f proto.Format) (*wavWriter, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	w := &wavWriter{f: file, w: bufio.NewWriterSize(file, 64<<10)}
	if _, err := w.w.Write(wavHeader(f, wavOpen)); err != nil {
		file.Close()
		return nil, err
	}
	return w, nil
}

// wavHeader is all of a WAV file before so many bytes of samples.
func wavHeader(f proto.Format, size int64) []byte {
	frame := 2 * f.Channels
	b := append(make([]byte, 0, 44), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(min(size+36, wavOpen)))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, wavPCM)
	b = binary.LittleEndian.AppendUint16(b, uint16(f.Channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.SampleRate))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.SampleRate*frame))
	b = binary.LittleEndian.AppendUint16(b, uint16(frame))
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, uint32(min(size, wavOpen)))
}

// Write appends samples.
func (w *wavWriter) Write(pcm []byte) (int, error) {
	n, err := w.w.Write(pcm)
	w.bytes += int64(n)
	return n, err
}

// Close finishes the header with the length. The format is that of createWAV.
func (w *wavWriter) Close() error {
	var size [4]byte
	err := w.w.Flush()
	for _, at := range []struct{ offset, more int64 }{{4, 36}, {40, 0}} {
		binary.LittleEndian.PutUint32(size[:], uint32(min(w.bytes+at.more, wavOpen)))
		if err == nil {
			_, err = w.f.WriteAt(size[:], at.offset)
		}
	}
	return errors.Join(err, w.f.Close())
}
