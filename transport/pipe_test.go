package transport

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"aila/proto"
)

// outlet is the Outlet of the rig's last session.
func (r *rig) outlet() proto.Outlet {
	r.echo.mu.Lock()
	defer r.echo.mu.Unlock()
	return r.echo.inlets[len(r.echo.inlets)-1].out
}

// numbered is a message with a number in it, of a few kB.
func numbered(sender, n int) []byte {
	return fmt.Appendf(nil, `{"type":"transcript","id":"%d","ref":"%d","text":"%s"}`, sender, n, strings.Repeat("x", 2700))
}

// selfSigned is a certificate for tests.
func selfSigned(t testing.TB) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// eachWay runs a test over TCP and over TLS.
func eachWay(t *testing.T, o Options, f func(t *testing.T, r *rig)) {
	t.Run("tcp", func(t *testing.T) { f(t, newRig(t, o)) })
	t.Run("tls", func(t *testing.T) { f(t, serveRig(t, o, selfSigned(t))) })
}

func TestSlowReaderGetsAllInOrder(t *testing.T) {
	eachWay(t, Options{MaxQueueBytes: 64 << 20}, func(t *testing.T, r *rig) {
		p := r.started()
		out := r.outlet()
		const count = 2000 // 5.4 MB: more than kernels hold
		for n := range count {
			out.Send(numbered(0, n), false)
		}
		require.NotZero(t, out.QueueBytes())
		for n := range count {
			require.Equal(t, fmt.Sprint(n), p.want("transcript").Ref)
		}
		r.eventually("nothing waits", func() bool { return out.QueueBytes() == 0 && r.only().pipe.oldest.Load() == 0 })
		out.Send(numbered(0, count), false)
		require.Equal(t, fmt.Sprint(count), p.want("transcript").Ref)
		p.wantServed()
	})
}

func TestManySendersKeepTheirOrder(t *testing.T) {
	eachWay(t, Options{MaxQueueBytes: 64 << 20}, func(t *testing.T, r *rig) {
		p := r.started()
		out := r.outlet()
		const senders, count = 8, 200
		var all sync.WaitGroup
		for sender := range senders {
			all.Go(func() {
				for n := range count {
					out.Send(numbered(sender, n), false)
				}
			})
		}
		all.Go(func() { // the read loop corks meanwhile
			for n := range count {
				p.audio(fmt.Sprint(n))
			}
		})
		var next [senders]int
		echoes := 0
		for range (senders + 1) * count {
			op, b, err := p.read()
			require.NoError(t, err)
			require.EqualValues(t, opText, op)
			var m message
			require.NoError(t, json.Unmarshal(b, &m))
			if m.Type == "audio_chunk" {
				require.Equal(t, fmt.Sprint(echoes), m.ItemID)
				echoes++
				continue
			}
			sender := int(m.ID[0] - '0')
			require.Equal(t, fmt.Sprint(next[sender]), m.Ref, "sender %d", sender)
			next[sender]++
		}
		all.Wait()
	})
}

func TestReaderTooSlowIsCut(t *testing.T) {
	for _, how := range []string{"bytes", "age"} {
		t.Run(how, func(t *testing.T) {
			r := newRig(t, Options{})
			r.echo.hangups = make(chan proto.Close, 1)
			p := r.started()
			r.advance(time.Second)
			out := r.outlet()
			sent := 0
			for out.QueueBytes() < 100<<10 {
				out.Send(numbered(0, sent), false)
				sent++
			}
			if how == "age" {
				r.advance(10 * time.Second)
				require.False(t, r.only().isClosing(), "after 9 s")
				r.advance(2 * time.Second)
			} else {
				for range 100 {
					out.Send(numbered(0, sent), false)
					sent++
				}
			}
			r.wantHangup(proto.CloseTooSlow)
			require.Zero(t, out.QueueBytes())
			// What is whole arrives in order, then the close frame, then the end.
			got := 0
			for {
				op, b, err := p.read()
				require.NoError(t, err)
				if op == opClose {
					require.Equal(t, 4002, int(binary.BigEndian.Uint16(b)))
					break
				}
				if op == opPing {
					continue
				}
				require.Equal(t, numbered(0, got), b)
				got++
			}
			_, _, err := p.read()
			require.ErrorIs(t, err, io.EOF)
			require.NotZero(t, got)
			require.Less(t, got, sent)
			p.c.Close()
			r.eventually("it ends", func() bool { return r.srv.Sockets() == 0 })
		})
	}
}

func TestReaderTooSlowIsCutUnderTLS(t *testing.T) {
	r := serveRig(t, Options{}, selfSigned(t))
	r.echo.hangups = make(chan proto.Close, 1)
	p := r.started()
	out := r.outlet()
	for n := range 2000 {
		out.Send(numbered(0, n), false)
	}
	r.wantHangup(proto.CloseTooSlow)
	p.c.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, p.br)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the end comes, maybe within a record")
}

func TestReplayMayExceedTheQueue(t *testing.T) {
	r := newRig(t, Options{})
	const count = 1000
	r.echo.open = openAndSend(r, count)
	p := r.connect()
	p.text(`{"type":"session_control","action":"resume","session_id":"s1","token":"t","last_seq":0}`)
	for n := range count {
		require.Equal(t, fmt.Sprint(n), p.want("transcript").Ref)
	}
	r.eventually("nothing waits", func() bool { return r.outlet().QueueBytes() == 0 })
	for n := range 2000 {
		r.outlet().Send(numbered(0, n), false)
	}
	require.True(t, r.only().isClosing(), "afterwards the bound holds again")
}

func TestCloseComesAfterWhatWaits(t *testing.T) {
	eachWay(t, Options{MaxQueueBytes: 64 << 20}, func(t *testing.T, r *rig) {
		p := r.started()
		out := r.outlet()
		const count = 2000
		for n := range count {
			out.Send(numbered(0, n), false)
		}
		out.Close(proto.CloseEnded)
		out.Close(proto.CloseFailed) // too late
		out.Send([]byte("{}"), false)
		for n := range count {
			require.Equal(t, fmt.Sprint(n), p.want("transcript").Ref)
		}
		p.wantClose(proto.CloseEnded)
	})
}

func TestTLSCarriesASession(t *testing.T) {
	r := serveRig(t, Options{}, selfSigned(t))
	p := r.connect("Origin: https://" + r.addr)
	for _, id := range []string{"a", "b"} {
		p.audio(id)
	}
	p.want("session_started")
	require.Equal(t, "a", p.want("audio_chunk").ItemID)
	require.Equal(t, "b", p.want("audio_chunk").ItemID)
	p.raw([]byte{0x83, 0x80, 0, 0, 0, 0})
	p.wantClose(proto.CloseProtocol)

	wantRefusal(t, r.dial().shake(r.addr, "Origin: http://"+r.addr), 403)
}

func TestAnswersToOneReadAreOneWrite(t *testing.T) {
	r := newRig(t, Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	r.echo.deliver = func(in *inlet, m proto.Inbound) error {
		in.answer(m)
		entered <- struct{}{}
		<-leave
		return nil
	}
	p := r.started()
	p.raw(append(frame(0x81, []byte(audioChunk("a"))), frame(0x81, []byte(audioChunk("b")))...))
	s := r.only()
	for range 2 {
		<-entered
		s.mu.Lock()
		held := s.corked && s.out != nil
		s.mu.Unlock()
		require.True(t, held, "the answer waits for the turn's end")
		leave <- struct{}{}
	}
	require.Equal(t, "a", p.want("audio_chunk").ItemID)
	require.Equal(t, "b", p.want("audio_chunk").ItemID)
}

func TestNothingWaitsForAWaitingDeliver(t *testing.T) {
	r := newRig(t, Options{})
	ready := true
	r.echo.ready = func() bool { return ready }
	entered, leave := make(chan struct{}), make(chan struct{})
	r.echo.deliver = func(in *inlet, m proto.Inbound) error {
		if !ready {
			entered <- struct{}{}
			<-leave
		}
		in.answer(m)
		ready = false
		return nil
	}
	p := r.started()
	p.raw(append(frame(0x81, []byte(audioChunk("a"))), frame(0x81, []byte(audioChunk("b")))...))
	require.Equal(t, "a", p.want("audio_chunk").ItemID, "said before the wait")
	<-entered
	r.outlet().Send(numbered(0, 7), false)
	require.Equal(t, "7", p.want("transcript").Ref, "said by others during it")
	leave <- struct{}{}
	require.Equal(t, "b", p.want("audio_chunk").ItemID)
}

func TestIntakeHoldsNoBufferWhileNothingIsInIt(t *testing.T) {
	in := intake{inspector: inspector{maxMessage: 1 << 20}}
	w := wire{socket: &socket{in: in}}
	small, large := frame(0x81, []byte("{}")), frame(0x81, make([]byte, 100<<10))
	for _, message := range [][]byte{small, large, append(bytes.Clone(large), small...)} {
		in := &w.socket.in
		for rest := bytes.NewReader(message); rest.Len() > 0; {
			_, err := in.fill(rest, 1)
			require.NoError(t, err)
		}
		got, err := io.ReadAll(io.LimitReader(w, int64(len(message))))
		require.NoError(t, err)
		require.Equal(t, message, got)
		_, err = w.Read(make([]byte, 1))
		require.ErrorIs(t, err, errDry)
		in.rest()
		require.Nil(t, in.buf)
		require.False(t, in.partial())
	}
	_, err := w.socket.in.fill(bytes.NewReader(small[:3]), 1)
	require.NoError(t, err)
	w.socket.in.rest()
	require.True(t, w.socket.in.partial(), "half a message is kept")
}

func TestFrameEndFindsTheFrameInProgress(t *testing.T) {
	var b []byte
	var ends []int
	for _, n := range []int{0, 5, 125, 126, 3000, 70_000} {
		b = appendFrame(b, opText, make([]byte, n))
		ends = append(ends, len(b))
	}
	i := 0
	for n := 1; n <= len(b); n++ {
		if n > ends[i] {
			i++
		}
		if got := frameEnd(b, n); got != ends[i] {
			t.Fatalf("frame in progress after %d bytes ends at %d, want %d", n, got, ends[i])
		}
	}
	require.Zero(t, frameEnd(b, 0))
	require.True(t, bytes.HasPrefix(b, []byte{0x81, 0, 0x81, 5}))
}
