package proto

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// document is what the tests need of asyncapi.yaml.
type document struct {
	Version    string `yaml:"asyncapi"`
	Channels   map[string]struct{ Messages map[string]ref }
	Operations map[string]struct {
		Action   string
		Messages []ref
	}
	Components struct {
		Messages map[string]struct {
			Name        string
			ContentType string `yaml:"contentType"`
			Payload     struct {
				Properties map[string]struct{ Const string }
			}
		}
	}
}

type ref struct {
	Ref string `yaml:"$ref"`
}

// schemas are asyncapi.yaml's, by direction, type and action.
type schemas map[string]*jsonschema.Schema

func asyncAPI(t *testing.T) (document, schemas) {
	t.Helper()
	raw, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	var plain any
	for _, v := range []any{&doc, &plain} {
		if err := yaml.Unmarshal(raw, v); err != nil {
			t.Fatal(err)
		}
	}
	asJSON, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // AsyncAPI's own schemas are a superset of it
	if err := c.AddResource("asyncapi.json", root); err != nil {
		t.Fatal(err)
	}
	all := schemas{}
	for direction, operation := range map[string]string{"client": "hear", "server": "say"} {
		for _, m := range doc.Operations[operation].Messages {
			key := strings.TrimPrefix(m.Ref, "#/channels/session/messages/")
			msg, ok := doc.Components.Messages[key]
			if !ok || doc.Channels["session"].Messages[key].Ref != "#/components/messages/"+key {
				t.Fatalf("%s is said and not described", m.Ref)
			}
			if msg.ContentType != "" {
				continue // binary
			}
			s, err := c.Compile("asyncapi.json#/components/messages/" + key + "/payload")
			if err != nil {
				t.Fatal(err)
			}
			typ, action := msg.Payload.Properties["type"].Const, ""
			if typ == sessionControl {
				action = msg.Payload.Properties["action"].Const
			}
			if msg.Name != typ {
				t.Errorf("message %s is named %s and has type %s", key, msg.Name, typ)
			}
			all[strings.TrimSpace(direction+" "+typ+" "+action)] = s
		}
	}
	return doc, all
}

func TestAsyncAPIHasEveryMessageAndNoOther(t *testing.T) {
	doc, all := asyncAPI(t)
	if doc.Version != "3.0.0" {
		t.Errorf("asyncapi %q", doc.Version)
	}
	var got, want []string
	for name := range all {
		got = append(got, name)
	}
	for _, k := range inboundKinds {
		want = append(want, strings.TrimSpace("client "+k.name+" "+k.action))
	}
	for _, k := range outboundKinds {
		want = append(want, "server "+k.name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if n := len(doc.Components.Messages); n != len(got)+2 || n != len(doc.Channels["session"].Messages) {
		t.Errorf("%d messages, %d in the channel, %d said and heard", n, len(doc.Channels["session"].Messages), len(got)+2)
	}
}

// beyondSchemas are refused vectors that no schema can refuse: a limit in bytes, and two
// ways to write an integer that JSON Schema takes for one.
var beyondSchemas = []string{
	"refused-text-too-many-bytes", "refused-start-metadata-too-big", "refused-seq-exponent", "refused-seq-decimal-point",
}

// Good vectors are good by the schemas, and what is refused for a field is bad by them too.
func TestGoldenVectorsAgreeWithAsyncAPI(t *testing.T) {
	_, all := asyncAPI(t)
	for _, v := range vectors(t) {
		wantBad := v.Want != nil && slices.Contains([]Code{BadField, BadSeq, BadAudio}, v.Want.Code)
		if v.Kind != "text" || v.Want != nil && !wantBad || slices.Contains(beyondSchemas, v.Name) {
			continue
		}
		m, err := jsonschema.UnmarshalJSON(bytes.NewReader(v.message(t)))
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		fields := m.(map[string]any)
		name := v.Direction + " " + fields["type"].(string)
		if fields["type"] == sessionControl {
			action, ok := fields["action"].(string)
			if !ok {
				continue // no schema is for it
			}
			name += " " + action
		}
		s := all[name]
		if s == nil {
			t.Errorf("%s: no schema for %s", v.Name, name)
			continue
		}
		if err := s.Validate(m); (err != nil) != wantBad {
			t.Errorf("%s: by the schema %v, refused %v", v.Name, err, wantBad)
		}
	}
}

// The document lists the same error codes as the package.
func TestAsyncAPIHasEveryErrorCode(t *testing.T) {
	_, all := asyncAPI(t)
	for _, c := range Codes {
		m := map[string]any{"type": "error", "code": string(c), "message": "", "fatal": false}
		if err := all["server error"].Validate(m); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
	m := map[string]any{"type": "error", "code": "no_such_code", "message": "", "fatal": false}
	if all["server error"].Validate(m) == nil {
		t.Error("a code that does not exist is valid")
	}
}
