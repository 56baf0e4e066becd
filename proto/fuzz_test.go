package proto

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"
)

// seed adds the golden vectors of one kind and direction.
func seed(f *testing.F, direction, kind string) {
	for _, v := range vectors(f) {
		if v.Direction == direction && v.Kind == kind {
			f.Add(v.message(f))
		}
	}
}

// Whatever comes in: one message or ErrNotUTF8, nothing both; a refusal says why; what is
// taken can be written and read again.
func FuzzDecode(f *testing.F) {
	seed(f, "client", "text")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if utf8.Valid(b) != (err == nil) || (m == nil) != (err != nil) || err != nil && !errors.Is(err, ErrNotUTF8) {
			t.Fatalf("Decode = %v, %v", m, err)
		}
		if err != nil {
			return
		}
		if r, ok := m.(*Refused); ok {
			if !slices.Contains(Codes, r.Fault.Code) || r.Fault.Message == "" || r.Fault.Fatal || r.BadSeq && r.Seq != 0 {
				t.Fatalf("refused with %+v", r)
			}
			return
		}
		if n, ok := m.(Numbered); ok && (n.Header().Seq < 0 || n.Header().Seq > MaxSeq || n.Header().Wrapped) {
			t.Fatalf("header %+v", n.Header())
		}
		again, err := Decode(AppendInbound(nil, m))
		if err != nil || !reflect.DeepEqual(again, m) && !sameAudio(again, m) {
			t.Fatalf("got %+v, and again %+v, %v", m, again, err)
		}
	})
}

func sameAudio(x, y Inbound) bool {
	a, ok1 := x.(*AudioIn)
	b, ok2 := y.(*AudioIn)
	return ok1 && ok2 && a.Head == b.Head && bytes.Equal(a.Data, b.Data)
}

// What the fast path takes, the general decoder takes with the same result.
func FuzzFastPathAgrees(f *testing.F) {
	seed(f, "client", "text")
	seed(f, "server", "text")
	f.Fuzz(func(t *testing.T, b []byte) {
		if a := fastAudioIn(b); a != nil {
			m, err := decode(b)
			if err != nil || !sameAudio(a, m) {
				t.Fatalf("client: fast %+v, general %+v, %v", a, m, err)
			}
		}
		if a := fastAudioOut(b); a != nil {
			m, err := decodeOutbound(b)
			if err != nil || !reflect.DeepEqual(m, Outbound(a)) {
				t.Fatalf("server: fast %+v, general %+v, %v", a, m, err)
			}
		}
	})
}

// The fast path takes every plain audio_chunk that we write ourselves, with any payload, id
// and number; and so do both general decoders.
func FuzzAudioRoundTrip(f *testing.F) {
	f.Add(int64(1), "id", []byte("samples"), int64(3), int64(4))
	f.Add(int64(0), "", []byte{}, int64(0), int64(0))
	f.Add(int64(MaxSeq), "\"\\\n\xffé", make([]byte, 960), int64(MaxSeq), int64(MaxSeq))
	f.Fuzz(func(t *testing.T, seq int64, id string, data []byte, pos, re int64) {
		seq, pos, re = seq&MaxSeq, pos&MaxSeq, re&MaxSeq
		out := &AudioOut{Serial: Serial{seq}, Data: data, ItemID: id, Pos: pos, Re: re}
		wire := Append(nil, out)
		got, err := DecodeOutbound(wire)
		if err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(id) {
			if a := got.(*AudioOut); a.Seq != seq || a.ItemID != id || a.Pos != pos || a.Re != re || !bytes.Equal(a.Data, data) {
				t.Fatalf("got %+v, want %+v", a, out)
			}
		}
		in := &AudioIn{Head: Head{Seq: seq}, Data: data}
		wire = AppendInbound(nil, in)
		if a := fastAudioIn(wire); a == nil || !sameAudio(a, in) {
			t.Fatalf("got %+v, want %+v", a, in)
		}
	})
}

// Base64 is taken as the standard library takes it when it is strict, without its leniency
// towards line breaks.
func FuzzBase64(f *testing.F) {
	for n := range 100 {
		f.Add([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, n))))
	}
	for _, v := range vectors(f) {
		if v.Want != nil && v.Want.Code == BadAudio && v.Wire != nil {
			f.Add([]byte(v.Wire))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		want, err := strict64.DecodeString(string(src))
		ok := err == nil && !bytes.ContainsAny(src, "\r\n")
		buf := make([]byte, 0, 200)
		got, gotOK := decode64(buf, src)
		if gotOK != ok || ok && !bytes.Equal(got, want) {
			t.Fatalf("got %x, %v; want %x, %v", got, gotOK, want, ok)
		}
		if ok {
			room := make([]byte, 3, 3+len(src))
			if enc := append64(room, got); string(enc[3:]) != string(src) {
				t.Fatalf("encoded %q, want %q", enc[3:], src)
			}
		}
	})
}

func FuzzBinary(f *testing.F) {
	seed(f, "client", "binary")
	seed(f, "server", "binary")
	f.Fuzz(func(t *testing.T, b []byte) {
		switch m := DecodeBinary(b).(type) {
		case *AudioIn:
			again := DecodeBinary(AppendInboundBinary(nil, m))
			if !sameAudio(again, m) || !bytes.Equal(m.Data, b[16:]) {
				t.Fatalf("got %+v, and again %+v", m, again)
			}
		case *Refused:
			if m.Fault.Code != BadAudio || m.Wrapped != (m.Seq != 0) || m.Seq > 1<<32-1 {
				t.Fatalf("refused with %+v", m)
			}
		default:
			t.Fatalf("got %T", m)
		}
		if a, err := DecodeOutboundBinary(b, 1<<40); err == nil && !bytes.Equal(AppendBinary(nil, a), b) {
			t.Fatalf("got %+v", a)
		}
	})
}

func FuzzDecodeOutbound(f *testing.F) {
	seed(f, "server", "text")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeOutbound(b)
		if (m == nil) == (err == nil) {
			t.Fatalf("DecodeOutbound = %v, %v", m, err)
		}
		if err != nil {
			return
		}
		again, err := DecodeOutbound(Append(nil, m))
		if err != nil || !bytes.Equal(Append(nil, again), Append(nil, m)) {
			t.Fatalf("got %+v, and again %+v, %v", m, again, err)
		}
	})
}
