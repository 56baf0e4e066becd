package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"aila/proto"
)

// riffChunk is one chunk of a WAV file, padded to an even length.
func riffChunk(id, body string) string {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	return id + string(size) + body + strings.Repeat("\x00", len(body)%2)
}

func riffWave(chunks ...string) string {
	return "RIFF\x00\x00\x00\x00WAVE" + strings.Join(chunks, "")
}

// fmtChunk is the format of a WAV file.
func fmtChunk(tag, channels, rate, bits int, more string) string {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	return riffChunk("fmt ", string(binary.LittleEndian.AppendUint16(b, uint16(bits)))+more)
}

func TestReadWAV(t *testing.T) {
	mono := fmtChunk(1, 1, 24000, 16, "")
	guid := "\x16\x00\x10\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
	for name, row := range map[string]struct {
		file    string
		format  proto.Format
		samples int64
		body    string
	}{
		"mono":       {riffWave(mono, riffChunk("data", "abcdef")), proto.Format{Encoding: "pcm16", SampleRate: 24000, Channels: 1}, 3, "abcdef"},
		"stereo":     {riffWave(fmtChunk(1, 2, 48000, 16, ""), riffChunk("data", "abcdefgh")), proto.Format{Encoding: "pcm16", SampleRate: 48000, Channels: 2}, 2, "abcdefgh"},
		"extensible": {riffWave(fmtChunk(0xFFFE, 1, 8000, 16, guid), riffChunk("data", "ab")), proto.Format{Encoding: "pcm16", SampleRate: 8000, Channels: 1}, 1, "ab"},
		"long fmt":   {riffWave(fmtChunk(1, 1, 16000, 16, "\x00\x00"), riffChunk("data", "ab")), proto.Format{Encoding: "pcm16", SampleRate: 16000, Channels: 1}, 1, "ab"},
		"odd chunk":  {riffWave(riffChunk("LIST", "xyz"), mono, riffChunk("data", "ab"), riffChunk("id3 ", "tail")), proto.DefaultFormat, 1, "ab"},
		"odd data":   {riffWave(mono, riffChunk("data", "abc")), proto.DefaultFormat, 1, "ab"},
		"open":       {riffWave(mono, "data\xff\xff\xff\xffabcd"), proto.DefaultFormat, -1, "abcd"},
		"unfinished": {riffWave(mono, "data\x00\x00\x00\x00abcd"), proto.DefaultFormat, -1, "abcd"},
		"cut off":    {riffWave(mono, "data\x10\x00\x00\x00abcd"), proto.DefaultFormat, 8, "abcd"},
	} {
		in, err := readWAV(iotest.OneByteReader(strings.NewReader(row.file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, _ := io.ReadAll(in.r)
		if in.format != row.format || in.samples != row.samples || string(body) != row.body {
			t.Errorf("%s: %+v with %d samples %q, want %+v with %d samples %q", name, in.format, in.samples, body, row.format, row.samples, row.body)
		}
	}
}

func TestReadWAVRefuses(t *testing.T) {
	mono := fmtChunk(1, 1, 24000, 16, "")
	for name, file := range map[string]string{
		"nothing":           "",
		"a text":            strings.Repeat("words ", 10),
		"a picture in RIFF": "RIFF\x00\x00\x00\x00WEBP" + mono,
		"no chunk":          riffWave(),
		"no samples":        riffWave(mono),
		"no format":         riffWave(riffChunk("data", "ab")),
		"a short format":    riffWave(riffChunk("fmt ", "\x01\x00")),
		"a huge format":     riffWave("fmt \xff\xff\xff\x7f" + mono),
		"floats":            riffWave(fmtChunk(3, 1, 24000, 32, ""), riffChunk("data", "abcd")),
		"8 bits":            riffWave(fmtChunk(1, 1, 24000, 8, ""), riffChunk("data", "abcd")),
		"a mu-law file":     riffWave(fmtChunk(7, 1, 8000, 8, ""), riffChunk("data", "abcd")),
		"three channels":    riffWave(fmtChunk(1, 3, 24000, 16, ""), riffChunk("data", "abcdef")),
		"no channels":       riffWave(fmtChunk(1, 0, 24000, 16, ""), riffChunk("data", "abcdef")),
		"a rare rate":       riffWave(fmtChunk(1, 1, 22050, 16, ""), riffChunk("data", "abcd")),
		"an endless chunk":  riffWave(mono, "LIST\xff\xff\xff\xff"),
	} {
		if in, err := readWAV(strings.NewReader(file)); err == nil {
			t.Errorf("%s was read as %+v", name, in.format)
		}
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add([]byte(riffWave(fmtChunk(1, 1, 24000, 16, ""), riffChunk("data", "abcdef"))))
	f.Add([]byte(riffWave(riffChunk("LIST", "xyz"), fmtChunk(0xFFFE, 2, 48000, 16, strings.Repeat("\x01\x00", 12)), riffChunk("data", "abcd"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := readWAV(bytes.NewReader(b))
		if err != nil {
			return
		}
		buf := make([]byte, in.format.SampleRate/50*2*in.format.Channels)
		for {
			pcm, err := in.next(buf)
			if err != nil {
				return
			}
			if _, err := in.format.Samples(pcm); err != nil {
				t.Fatalf("chunk of %d bytes: %v", len(pcm), err)
			}
		}
	})
}

func TestWrittenWAVIsReadBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.wav")
	f := proto.Format{Encoding: "pcm16", SampleRate: 44100, Channels: 2}
	w, err := createWAV(name, f)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("abcdefgh"))
	w.Write([]byte("ijkl"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint32(b[4:]); int(got) != len(b)-8 {
		t.Errorf("RIFF of %d bytes, want %d", got, len(b)-8)
	}
	in, err := readWAV(bytes.NewReader(b))
	if err != nil || in.format != f || in.samples != 3 {
		t.Fatalf("read back %+v with %d samples: %v", in.format, in.samples, err)
	}
	if body, _ := io.ReadAll(in.r); string(body) != "abcdefghijkl" {
		t.Errorf("read back %q", body)
	}
}

func TestInputIsAWAVFileOrSamples(t *testing.T) {
	f := proto.Format{Encoding: "pcm16", SampleRate: 8000, Channels: 1}
	in, err := readInput(strings.NewReader("samples"), f)
	if err != nil || in.format != f {
		t.Errorf("samples: %+v, %v", in.format, err)
	}
	in, err = readInput(strings.NewReader(riffWave(fmtChunk(1, 2, 48000, 16, ""), riffChunk("data", "abcd"))), f)
	if err != nil || in.format.SampleRate != 48000 {
		t.Errorf("WAV file: %+v, %v", in.format, err)
	}
	var usage usageError
	if _, err := readInput(strings.NewReader("x"), proto.Format{Encoding: "pcm16", SampleRate: 9000, Channels: 1}); !errors.As(err, &usage) {
		t.Errorf("samples at 9000 Hz: %v, want a usage error", err)
	}
}

func TestLastChunkIsPaddedToTheShortest(t *testing.T) {
	in := recording{format: proto.DefaultFormat, r: strings.NewReader(strings.Repeat("x", 960+101))}
	buf := bytes.Repeat([]byte{1}, 960)
	first, _ := in.next(buf)
	if len(first) != 960 {
		t.Fatalf("first chunk has %d bytes, want 960", len(first))
	}
	last, err := in.next(buf)
	if want := strings.Repeat("x", 100) + strings.Repeat("\x00", 380); err != nil || string(last) != want {
		t.Errorf("last chunk has %d bytes, %v, want 100 and silence up to 10 ms", len(last), err)
	}
	if _, err := in.next(buf); !errors.Is(err, io.EOF) {
		t.Errorf("after the last chunk: %v, want EOF", err)
	}
	broken := recording{format: proto.DefaultFormat, r: iotest.ErrReader(io.ErrClosedPipe)}
	if _, err := broken.next(buf); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("broken input: %v, want its own error", err)
	}
}

func TestMeter(t *testing.T) {
	tone := func(amplitude float64) []byte {
		var b []byte
		for i := range 480 {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(amplitude*32767*math.Sin(float64(i)*math.Pi/24))))
		}
		return b
	}
	for _, row := range []struct {
		pcm  []byte
		want float64
	}{
		{tone(0), -60}, {tone(1), -3}, {tone(0.5), -9}, {tone(0.01), -43}, {tone(0.0001), -60}, {nil, -60}, {[]byte{1}, -60},
		{bytes.Repeat([]byte{0x00, 0x80}, 480), 0},
	} {
		m := meter{}
		m.hear(row.pcm)
		if got := m.read(); math.Abs(got-row.want) > 0.1 {
			t.Errorf("level %.2f dB, want %.0f", got, row.want)
		}
	}
	m := meter{}
	m.hear(tone(1))
	m.read()
	if got := m.read(); math.Abs(got+9) > 0.1 {
		t.Errorf("silence shows %.2f dB at once, want a fall to -9", got)
	}
}

func TestBar(t *testing.T) {
	for level, want := range map[float64]string{
		-60: "          ", -99: "          ", 0: "██████████", 6: "██████████", -30: "█████     ", -33: "████▌     ",
	} {
		if got := bar(level, 10); got != want {
			t.Errorf("bar of %v dB is %q, want %q", level, got, want)
		}
	}
}

func TestLedger(t *testing.T) {
	at := time.Unix(1, 0)
	filled := func() *ledger {
		l := &ledger{}
		for i, s := range []string{"one", "two", "three", "three", "five"} {
			l.say(int64(i+1), []byte(s), at)
		}
		return l
	}
	type echo struct {
		re   int64
		data string
	}
	for name, row := range map[string]struct {
		echoes                []echo
		right, wrong, missing int64
	}{
		"all":            {[]echo{{1, "one"}, {2, "two"}, {3, "three"}, {4, "three"}, {5, "five"}}, 5, 0, 0},
		"all, binary":    {[]echo{{0, "one"}, {0, "two"}, {0, "three"}, {0, "three"}, {0, "five"}}, 5, 0, 0},
		"one lost":       {[]echo{{1, "one"}, {3, "three"}, {4, "three"}, {5, "five"}}, 4, 0, 1},
		"lost in binary": {[]echo{{0, "one"}, {0, "three"}, {0, "three"}, {0, "five"}}, 4, 0, 1},
		"changed":        {[]echo{{1, "one"}, {2, "TWO"}, {3, "three"}, {4, "three"}, {5, "five"}}, 4, 1, 0},
		"twice":          {[]echo{{1, "one"}, {1, "one"}, {2, "two"}, {3, "three"}, {4, "three"}, {5, "five"}}, 5, 1, 0},
		"never said":     {[]echo{{9, "nine"}}, 0, 1, 5},
		"none":           {nil, 0, 0, 5},
	} {
		l := filled()
		for _, e := range row.echoes {
			l.hear(e.re, []byte(e.data))
		}
		l.close()
		if l.right != row.right || l.wrong != row.wrong || l.missing != row.missing {
			t.Errorf("%s: %d right, %d wrong, %d missing, want %d, %d, %d", name, l.right, l.wrong, l.missing, row.right, row.wrong, row.missing)
		}
	}
	if got := filled().hear(2, []byte("two")); got != at {
		t.Errorf("two was said at %v, want %v", got, at)
	}
}

func TestPace(t *testing.T) {
	const frame = 20 * time.Millisecond
	start := time.Unix(1, 0)
	run := func(p pace, n int, takes time.Duration) time.Duration {
		now := start
		for range n {
			now = now.Add(max(0, p.wait(now)) + takes)
		}
		return now.Sub(start)
	}
	for name, row := range map[string]struct {
		p     pace
		n     int
		takes time.Duration
		want  time.Duration
	}{
		"as spoken":              {pace{frame: frame}, 101, 0, 2 * time.Second},
		"making good for delays": {pace{frame: frame}, 101, 15 * time.Millisecond, 2*time.Second + 15*time.Millisecond},
		"a slow source":          {pace{frame: frame}, 10, time.Second, 10 * time.Second},
		"fast without a limit":   {pace{frame: frame, fast: true}, 1000, 0, 0},
		"fast within the burst":  {pace{frame: frame, fast: true, rate: 2}, 400, 0, 0},
		"fast at the limit":      {pace{frame: frame, fast: true, rate: 2}, 400 + 98*50, 0, 50 * time.Second},
	} {
		if got := run(row.p, row.n, row.takes); got.Round(time.Millisecond) != row.want {
			t.Errorf("%s: took %v, want %v", name, got, row.want)
		}
	}
}

func TestScreenChangesInPlaceOnlyOnATerminal(t *testing.T) {
	for _, live := range []bool{true, false} {
		var b strings.Builder
		s := screen{w: &b, live: live}
		s.show("one", "two")
		s.stay("stays")
		s.show("three")
		if got := strings.Contains(b.String(), "\x1b[2A"); got != live {
			t.Errorf("live %v: wrote %q", live, b.String())
		}
	}
}

// jam is a writer whose reader holds it up while it has the lock.
type jam struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *jam) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func TestPipeDoesNotWaitForItsReader(t *testing.T) {
	w := &jam{}
	w.mu.Lock()
	p := newPipe(w)
	for range 1000 {
		if _, err := p.Write([]byte("ab")); err != nil {
			t.Fatal(err)
		}
	}
	w.mu.Unlock()
	if err := p.Close(); err != nil || w.b.String() != strings.Repeat("ab", 1000) {
		t.Errorf("wrote %d bytes, %v, want 2000", w.b.Len(), err)
	}
	closed, far := io.Pipe()
	closed.Close()
	p = newPipe(far)
	p.Write([]byte("ab"))
	if err := p.Close(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write without a reader: %v, want ErrClosedPipe", err)
	}
}
