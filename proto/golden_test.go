package proto

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// vector is one golden vector; testdata/frames/README.md says what is what.
type vector struct {
	Name       string         `json:"name"`
	Direction  string         `json:"direction"`
	Kind       string         `json:"kind"`
	Wire       jsontext.Value `json:"wire"`
	Text       *string        `json:"text"`
	Hex        *string        `json:"hex"`
	Next       int64          `json:"next"`
	Fields     map[string]int `json:"fields"`
	Encodes    jsontext.Value `json:"encodes"`
	EncodesHex string         `json:"encodes_hex"`
	Want       *wanted        `json:"want"`
}

type wanted struct {
	Code     Code   `json:"code"`
	Field    string `json:"field"`
	Ref      string `json:"ref"`
	Seq      int64  `json:"seq"`
	Numbered bool   `json:"numbered"`
	BadSeq   bool   `json:"bad_seq"`
	Close    int    `json:"close"`
	Ignored  bool   `json:"ignored"`
}

// message is the vector's message, as it goes over the wire.
func (v *vector) message(t testing.TB) []byte {
	switch {
	case v.Wire != nil:
		b := v.Wire.Clone()
		if err := b.Compact(); err != nil { // as every client writes it
			t.Fatalf("%s: %v", v.Name, err)
		}
		return b
	case v.Text != nil:
		return []byte(*v.Text)
	case v.Hex != nil:
		b, err := hex.DecodeString(*v.Hex)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		return b
	}
	t.Fatalf("%s has no message", v.Name)
	return nil
}

// vectors reads all golden vectors.
func vectors(t testing.TB) []vector {
	t.Helper()
	files, err := filepath.Glob("testdata/frames/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden vectors: %v", err)
	}
	var all []vector
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(b, &v, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if file := strings.TrimSuffix(filepath.Base(file), ".json"); v.Name != file {
			t.Errorf("%s.json is named %q", file, v.Name)
		}
		all = append(all, v)
	}
	return all
}

func TestGoldenVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			b := v.message(t)
			before := string(b)
			switch v.Direction + " " + v.Kind {
			case "client text":
				checkClientText(t, v, b)
			case "client binary":
				checkClientBinary(t, v, b)
			case "server text":
				checkServerText(t, v, b)
			case "server binary":
				checkServerBinary(t, v, b)
			default:
				t.Fatalf("direction %q, kind %q", v.Direction, v.Kind)
			}
			if string(b) != before {
				t.Error("decoding changed the message")
			}
		})
	}
}

func checkClientText(t *testing.T, v vector, b []byte) {
	m, err := Decode(b)
	if v.Want != nil && v.Want.Close == 1007 {
		if !errors.Is(err, ErrNotUTF8) || m != nil {
			t.Fatalf("Decode = %v, %v; want ErrNotUTF8 alone", m, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if v.Want != nil {
		checkRefused(t, m, *v.Want)
		return
	}
	if r, ok := m.(*Refused); ok {
		t.Fatalf("refused: %+v", r.Fault)
	}
	sameJSON(t, AppendInbound(nil, m), v, b)
}

func checkRefused(t *testing.T, m Inbound, want wanted) {
	t.Helper()
	r, ok := m.(*Refused)
	if !ok {
		t.Fatalf("got %T, want it refused with %s", m, want.Code)
	}
	got := wanted{Code: r.Fault.Code, Field: want.Field, Ref: r.Fault.Ref, Seq: r.Seq, Numbered: r.Numbered, BadSeq: r.BadSeq}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if want.Field != "" && !strings.HasPrefix(r.Fault.Message, want.Field+" ") {
		t.Errorf("message %q does not name %s", r.Fault.Message, want.Field)
	}
	if r.ID != r.Fault.Ref || r.Fault.Fatal || r.Fault.Message == "" {
		t.Errorf("id %q, fault %+v", r.ID, r.Fault)
	}
	if r.Wrapped && r.Fault.ClientSeq != 0 || !r.Wrapped && r.Fault.ClientSeq != r.Seq {
		t.Errorf("client_seq %d with head %+v", r.Fault.ClientSeq, r.Head)
	}
	for _, word := range []string{"proto", "int64", "Go ", "struct", "jsontext"} {
		if strings.Contains(r.Fault.Message, word) {
			t.Errorf("message %q speaks of our insides: %s", r.Fault.Message, word)
		}
	}
}

func checkClientBinary(t *testing.T, v vector, b []byte) {
	m := DecodeBinary(b)
	if v.Want != nil {
		checkRefused(t, m, *v.Want)
		return
	}
	a, ok := m.(*AudioIn)
	if !ok {
		t.Fatalf("got %+v", m)
	}
	if seq := int64(v.Fields["seq"]); a.Seq != seq || a.Wrapped != (seq != 0) || !a.Binary {
		t.Errorf("got %+v, want seq %d", a, seq)
	}
	sameBytes(t, AppendInboundBinary(nil, a), v, b)
}

func checkServerText(t *testing.T, v vector, b []byte) {
	m, err := DecodeOutbound(b)
	if v.Want != nil && v.Want.Ignored {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("DecodeOutbound = %v, %v; want ErrUnknown", m, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, Append(nil, m), v, b)
}

func checkServerBinary(t *testing.T, v vector, b []byte) {
	a, err := DecodeOutboundBinary(b, v.Next)
	if v.Want != nil && v.Want.Ignored {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("DecodeOutboundBinary = %v, %v; want ErrUnknown", a, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{"seq": int(a.Seq), "item": int(a.Item), "pos": int(a.Pos)}
	if !reflect.DeepEqual(got, v.Fields) {
		t.Errorf("got %v, want %v", got, v.Fields)
	}
	sameBytes(t, AppendBinary(nil, a), v, b)
}

// sameJSON tells whether got is the vector's message as a JSON value, with its type first.
func sameJSON(t *testing.T, got []byte, v vector, wire []byte) {
	t.Helper()
	want := wire
	if v.Encodes != nil {
		want = v.Encodes
	}
	g, w := jsontext.Value(got).Clone(), jsontext.Value(want).Clone()
	if err := g.Canonicalize(); err != nil {
		t.Fatalf("encoded %s: %v", got, err)
	}
	if err := w.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("encoded again\n  %s\nwant\n  %s", g, w)
	}
	if !strings.HasPrefix(string(got), `{"type":"`) {
		t.Errorf("type is not first: %.40s", got)
	}
}

func sameBytes(t *testing.T, got []byte, v vector, wire []byte) {
	t.Helper()
	want := hex.EncodeToString(wire)
	if v.EncodesHex != "" {
		want = v.EncodesHex
	}
	if hex.EncodeToString(got) != want {
		t.Errorf("encoded again %x, want %s", got, want)
	}
}

// Every message of the tables has a good vector.
func TestGoldenVectorsCoverTheTables(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range vectors(t) {
		if v.Want != nil || v.Kind != "text" {
			continue
		}
		var m struct {
			Type   string `json:"type"`
			Action string `json:"action"`
		}
		if err := json.Unmarshal(v.message(t), &m); err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if m.Type != sessionControl {
			m.Action = "" // goaway has one too
		}
		seen[v.Direction+" "+m.Type+" "+m.Action] = true
	}
	for _, k := range inboundKinds {
		if !seen["client "+k.name+" "+k.action] {
			t.Errorf("no golden vector for %s %s of a client", k.name, k.action)
		}
	}
	for _, k := range outboundKinds {
		if !seen["server "+k.name+" "] {
			t.Errorf("no golden vector for %s of the server", k.name)
		}
	}
}
