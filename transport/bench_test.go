package transport

import (
	"encoding/base64"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// audioFrame is 20 ms of audio at 24 kHz, as a frame.
func audioFrame() []byte {
	return frame(0x81, fmt.Appendf(nil, `{"type":"audio_chunk","seq":1,"data":"%s"}`, base64.StdEncoding.EncodeToString(make([]byte, 960))))
}

// BenchmarkEcho measures one audio frame there and back over loopback, client included: alone,
// and with 8 in flight.
func BenchmarkEcho(b *testing.B) {
	for _, window := range []int{1, 8} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			r := newRig(b, Options{})
			p := r.started()
			send := repeat(window, audioFrame())
			p.raw(audioFrame())
			_, answer, err := p.read()
			require.NoError(b, err)
			back := make([]byte, window*(len(answer)+4))
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%window != 0 {
					continue
				}
				if _, err := p.c.Write(send); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(p.br, back); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
