package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"aila/proto"
	"aila/transport/client"
)

// speech is the samples of speech.wav: 15 s of 16 bits at 24 kHz.
func speech(t testing.TB) []byte {
	t.Helper()
	file, err := os.Open("testdata/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := readWAV(file)
	if err != nil || r.format != proto.DefaultFormat {
		t.Fatalf("speech.wav: %+v, %v", r.format, err)
	}
	pcm, err := io.ReadAll(r.r)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// spoken cuts audio into frames of so many bytes; the last one may be shorter, but not too
// short to be said.
func spoken(pcm []byte, size int) (frames [][]byte) {
	for ; len(pcm) > size+size/2; pcm = pcm[size:] {
		frames = append(frames, pcm[:size])
	}
	return append(frames, pcm)
}

// stereo16 makes two channels at 16 kHz of one at 24 kHz: the second channel is silent.
func stereo16(pcm []byte) (out []byte) {
	for i := 0; i+1 < len(pcm)/2; i += 3 {
		for _, j := range []int{i, i + 1} {
			out = append(out, pcm[2*j], pcm[2*j+1], 0, 0)
		}
	}
	return out
}

// pcmu8 makes G.711 mu-law at 8 kHz of 16 bits at 24 kHz.
func pcmu8(pcm []byte) (out []byte) {
	for i := 0; i < len(pcm)/2; i += 3 {
		s := int(int16(binary.LittleEndian.Uint16(pcm[2*i:])))
		sign := 0
		if s < 0 {
			s, sign = -s, 0x80
		}
		s = min(s, 32635) + 0x84
		exponent := 7
		for mask := 0x4000; exponent > 0 && s&mask == 0; mask >>= 1 {
			exponent--
		}
		out = append(out, byte(^(sign | exponent<<4 | s>>(exponent+3)&0xf)))
	}
	return out
}

// speakers is how many sessions speak at once, and ahead how many frames each may be ahead of
// their echoes: who says more than it hears is cut for reading too slowly.
const (
	speakers = 20
	ahead    = 64
)

func TestSpeechComesBackByteForByte(t *testing.T) {
	pcm := speech(t)
	s := startServer(t, nil)
	restored := calm(t)
	for _, row := range []struct {
		name  string
		o     client.Options
		audio []byte
		size  int // bytes of 20 ms
		width int64
	}{
		{"JSON", client.Options{}, pcm, 960, 2},
		{"binary", client.Options{Binary: true}, pcm, 960, 2},
		{"16 kHz stereo", client.Options{Audio: proto.Format{Encoding: "pcm16", SampleRate: 16000, Channels: 2}}, stereo16(pcm), 1280, 4},
		{"pcmu", client.Options{Audio: proto.Format{Encoding: "pcmu", SampleRate: 8000, Channels: 1}}, pcmu8(pcm), 160, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var all sync.WaitGroup
			for i := range speakers {
				all.Go(func() {
					if err := speak(t, s.ws(), row.o, row.audio, row.size, row.width); err != nil {
						t.Errorf("session %d: %v", i, err)
					}
				})
			}
			all.Wait()
		})
	}
	t.Run("simplest client", func(t *testing.T) {
		var all sync.WaitGroup
		for range speakers {
			all.Go(func() { speakSimply(t, s, pcm) })
		}
		all.Wait()
	})
	restored()
}

// speak says all of audio in one session as fast as it is taken, and compares.
func speak(t *testing.T, url string, o client.Options, audio []byte, size int, width int64) error {
	ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
	defer cancel()
	var heard []byte
	var re, last, closed int64
	room := make(chan struct{}, ahead)
	o.OnEvent = func(_ *client.Session, m proto.Outbound) {
		a, ok := m.(*proto.AudioOut)
		if !ok {
			return
		}
		if a.Re != 0 && a.Re != re+1 || a.Pos != int64(len(heard))/width {
			t.Errorf("echo of %d at %d, want %d at %d", a.Re, a.Pos, re+1, int64(len(heard))/width)
		}
		re++
		heard = append(heard, a.Data...)
		<-room
	}
	o.Trace = &client.Trace{Lost: func(c proto.Close, _ error) { closed = int64(c.Code) }}
	s, err := client.Dial(ctx, url, o)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, f := range spoken(audio, size) {
		room <- struct{}{}
		if last, err = s.Send(f); err != nil {
			return err
		}
	}
	if err := s.Finish(ctx); err != nil {
		return err
	}
	n := int64(len(audio)) / width
	e := s.Ended()
	switch {
	case !bytes.Equal(heard, audio):
		return fmt.Errorf("heard %d bytes that differ from the %d spoken", len(heard), len(audio))
	case re != last:
		return fmt.Errorf("%d echoes, want %d", re, last)
	case e.SamplesIn != n || e.SamplesOut != n || e.SamplesLost != 0 || e.Reason != proto.EndClient || e.Restarts != 0:
		return fmt.Errorf("session_ended %+v, want %d samples in and out", *e, n)
	case closed != 1000 || s.Stats().Connects != 1:
		return fmt.Errorf("close %d after %d sockets, want 1000 after 1", closed, s.Stats().Connects)
	}
	return nil
}

// speakSimply is the simplest client there is: a bare socket and bare audio_chunks, without
// start, without numbers.
func speakSimply(t *testing.T, s *server, audio []byte) {
	p := s.connect()
	defer p.tcp.Close()
	frames := spoken(audio, 960)
	said, room := make(chan error, 1), make(chan struct{}, ahead)
	go func() { // ends when all is said; as long as echoes come, there is room
		for _, f := range frames {
			room <- struct{}{}
			if err := p.write(frame(textFrame, []byte(audioChunk(0, "", f)))); err != nil {
				said <- err
				return
			}
		}
		said <- p.write(frame(textFrame, []byte(`{"type":"session_control","action":"end"}`)))
	}()
	var heard []byte
	var echoes, acked int64
	var ended *proto.SessionEnded
	for {
		m, err := p.hear()
		var closed errClosed
		if errors.As(err, &closed) && closed.Close == proto.CloseEnded {
			break
		}
		if err != nil {
			t.Errorf("hear: %v", err)
			return
		}
		switch m := m.(type) {
		case *proto.AudioOut:
			echoes++
			heard = append(heard, m.Data...)
			if m.Re != echoes {
				t.Errorf("echo re %d, want %d", m.Re, echoes)
			}
			<-room
		case *proto.AckOut:
			acked = m.Seq
		case *proto.SessionEnded:
			ended = m
		case *proto.Fault:
			t.Errorf("error %+v", m)
		}
	}
	if err := <-said; err != nil {
		t.Errorf("say: %v", err)
	}
	n := int64(len(audio) / 2)
	if !bytes.Equal(heard, audio) || echoes != int64(len(frames)) || acked > echoes {
		t.Errorf("heard %d bytes in %d echoes, want the %d bytes spoken in %d", len(heard), echoes, len(audio), len(frames))
	}
	if ended == nil || ended.SamplesIn != n || ended.SamplesOut != n || ended.SamplesLost != 0 {
		t.Errorf("session_ended %+v, want %d samples in and out", ended, n)
	}
}
