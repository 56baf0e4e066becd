package operator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aila/proto"
)

// document is what the test reads of the OpenAPI document.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	Parameters []struct {
		Name, In string
		Schema   *schema
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema *schema }
	}
}

// schema is the part of JSON Schema that the document uses.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"`
	Enum       []string           `json:"enum"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Additional any                `json:"additionalProperties"`
}

func readDocument(t *testing.T) document {
	t.Helper()
	var doc document
	if err := json.Unmarshal(openapi, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func (d document) operation(t *testing.T, path, method string) operation {
	t.Helper()
	var op operation
	if err := json.Unmarshal(d.Paths[path][strings.ToLower(method)], &op); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return op
}

// check tells where a value strays from a schema.
func (d document) check(s *schema, at string, v any) error {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	if !hasType(s.Type, v) {
		return fmt.Errorf("%s is %T, not %v", at, v, s.Type)
	}
	switch v := v.(type) {
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s is %q, not one of %v", at, v, s.Enum)
		}
	case []any:
		for i, item := range v {
			if err := d.check(s.Items, fmt.Sprint(at, "[", i, "]"), item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				return fmt.Errorf("%s has no %s", at, name)
			}
		}
		for name, item := range v {
			if p := s.Properties[name]; p != nil {
				if err := d.check(p, at+"."+name, item); err != nil {
					return err
				}
			} else if s.Additional == false {
				return fmt.Errorf("%s has %s, which the document does not know", at, name)
			}
		}
	}
	return nil
}

func hasType(want, v any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return hasType(w, v) })
	}
	switch v := v.(type) {
	case nil:
		return want == "null"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case float64:
		return want == "number" || want == "integer" && v == float64(int64(v))
	case []any:
		return want == "array"
	}
	return want == "object"
}

func TestDocumentNamesEveryRouteAndNoOther(t *testing.T) {
	doc, api := readDocument(t), New(Options{}, newFake(0))
	var got, want []string
	for path, methods := range doc.Paths {
		for m := range methods {
			if m != "parameters" {
				want = append(want, strings.ToUpper(m)+" "+path)
			}
		}
	}
	for _, r := range api.routes() {
		for m := range r.methods {
			got = append(got, m+" "+r.path)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("routes %q\ndocument %q", got, want)
	}
}

// Each answer is held against the document's schema, each filter against the handler.
func TestAnswersAreThoseOfTheDocument(t *testing.T) {
	r := newRig(t, Options{
		Drain:     func() {},
		MintToken: func(string, time.Duration) (string, error) { return "t", nil },
	}, 5)
	r.sessions[r.order[0]].Metadata = map[string]string{"k": "v"}
	if err := r.Crash(r.order[1], "audio", false); err != nil {
		t.Fatal(err)
	}
	r.api.history.add(between(r.Stats(), r.Stats(), time.Second, time.Now()))
	doc := readDocument(t)
	for _, c := range []struct {
		method, path, ask, body string
		status                  int
	}{
		{"GET", "/api/v1/sessions", "/api/v1/sessions", "", 200},
		{"GET", "/api/v1/sessions/{id}", "/api/v1/sessions/" + r.order[1], "", 200},
		{"GET", "/api/v1/sessions/{id}", "/api/v1/sessions/nobody", "", 404},
		{"POST", "/api/v1/sessions/{id}/actors/{actor}/crash", "/api/v1/sessions/" + r.order[1] + "/actors/audio/crash", "", 202},
		{"DELETE", "/api/v1/sessions/{id}", "/api/v1/sessions/" + r.order[2], "", 202},
		{"GET", "/api/v1/supervision", "/api/v1/supervision", "", 200},
		{"GET", "/api/v1/tree", "/api/v1/tree", "", 200},
		{"GET", "/api/v1/tree", "/api/v1/tree?limit=0", "", 400},
		{"GET", "/api/v1/stats", "/api/v1/stats", "", 200},
		{"GET", "/api/v1/voices", "/api/v1/voices", "", 200},
		{"POST", "/api/v1/drain", "/api/v1/drain", "", 202},
		{"POST", "/api/v1/tokens", "/api/v1/tokens", `{"sub":"a"}`, 201},
		{"POST", "/api/v1/tokens", "/api/v1/tokens", `{}`, 400},
		{"GET", "/api/v1/openapi.json", "/api/v1/openapi.json", "", 200},
	} {
		resp, body := r.ask(c.method, c.ask, c.body)
		if resp.StatusCode != c.status {
			t.Errorf("%s %s: %s, want %d", c.method, c.ask, resp.Status, c.status)
			continue
		}
		want := &schema{Ref: "#/components/schemas/Error"}
		if c.status < 400 {
			want = doc.operation(t, c.path, c.method).Responses[fmt.Sprint(c.status)].Content["application/json"].Schema
		}
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		if err := doc.check(want, "answer", v); err != nil {
			t.Errorf("%s %s: %v", c.method, c.ask, err)
		}
	}
}

func TestFiltersAreThoseOfTheDocument(t *testing.T) {
	r := newRig(t, Options{Drain: func() {}}, 1)
	doc := readDocument(t)
	for _, rt := range r.api.routes() {
		for method := range rt.methods {
			path := strings.NewReplacer("{id}", r.order[0], "{actor}", "audio").Replace(rt.path)
			if method == "DELETE" {
				continue
			}
			for _, p := range doc.operation(t, rt.path, method).Parameters {
				if p.In != "query" {
					continue
				}
				// No filter takes this value, and each says so by its own name.
				resp, body := r.ask(method, path+"?"+p.Name+"="+strings.Repeat("%21", 65), "")
				r.wantRefusal(resp, body, http.StatusBadRequest, "bad_filter")
				if !strings.Contains(body, p.Name+" is") {
					t.Errorf("%s %s does not know the filter %s: %s", method, path, p.Name, body)
				}
				if rt.path == "/api/v1/events" {
					continue // a good value opens a stream
				}
				for _, v := range p.Schema.Enum {
					if resp, body := r.ask(method, path+"?"+p.Name+"="+v, ""); resp.StatusCode >= 400 {
						t.Errorf("%s %s?%s=%s: %s", method, path, p.Name, v, body)
					}
				}
			}
		}
	}
}

func TestDocumentKnowsTheClosedSets(t *testing.T) {
	schemas := readDocument(t).Components.Schemas
	if got := schemas["Session"].Properties["state"].Enum; !slices.Equal(got, words(states)) {
		t.Errorf("states %v, want %v", got, states)
	}
	if got := schemas["Event"].Properties["event"].Enum; !slices.Equal(got, proto.Events) {
		t.Errorf("events %v, want %v", got, proto.Events)
	}
	if got := schemas["Event"].Properties["level"].Enum; !slices.Equal(got, levels) {
		t.Errorf("levels %v, want %v", got, levels)
	}
	// Every field that a view may show is described.
	for name, v := range map[string]any{"Session": proto.SessionView{Metadata: map[string]string{"a": "b"}}, "Event": proto.Event{}, "Stats": proto.Stats{}} {
		p, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(p, &fields); err != nil {
			t.Fatal(err)
		}
		for _, f := range slices.Sorted(maps.Keys(fields)) {
			if schemas[name].Properties[f] == nil {
				t.Errorf("%s.%s is not described", name, f)
			}
		}
	}
}
