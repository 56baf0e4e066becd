package operator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aila/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ proto.Operator = (*fake)(nil)

// rig is an API over a fake, served on loopback.
type rig struct {
	*fake
	t   *testing.T
	api *API
	srv *httptest.Server
}

func newRig(t *testing.T, o Options, sessions int) *rig {
	t.Helper()
	r := &rig{fake: newFake(sessions), t: t}
	r.api = New(o, r.fake)
	mux := http.NewServeMux()
	r.api.Register(mux.Handle)
	r.srv = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.api.Close()
		r.srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return r
}

// ask sends one request and reads the whole answer.
func (r *rig) ask(method, path, body string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.srv.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := r.srv.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	p, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(p)
}

// get asks for JSON and decodes it.
func (r *rig) get(path string, into any) {
	r.t.Helper()
	resp, body := r.ask("GET", path, "")
	if resp.StatusCode != http.StatusOK {
		r.t.Fatalf("GET %s: %s %s", path, resp.Status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		r.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
}

// wantRefusal checks the one error shape.
func (r *rig) wantRefusal(resp *http.Response, body string, status int, code string) {
	r.t.Helper()
	dec := json.NewDecoder(strings.NewReader(body))
	dec.DisallowUnknownFields()
	var shape struct {
		Error struct{ Code, Message string }
	}
	if err := dec.Decode(&shape); err != nil {
		r.t.Fatalf("%s %s: not the error shape (%v): %s", resp.Request.Method, resp.Request.URL, err, body)
	}
	if resp.StatusCode != status || shape.Error.Code != code || shape.Error.Message == "" {
		r.t.Errorf("%s %s: %d %q, want %d %q", resp.Request.Method, resp.Request.URL, resp.StatusCode, shape.Error, status, code)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "application/json" {
		r.t.Errorf("%s %s: Content-Type %q", resp.Request.Method, resp.Request.URL, kind)
	}
}

func TestBadInputIsAnsweredInOneShape(t *testing.T) {
	r := newRig(t, Options{MintToken: func(string, time.Duration) (string, error) { return "t", nil }}, 3)
	id := r.order[0]
	big := strings.Repeat("x", maxBody+1)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/api/v1/sessions/nobody", "", 404, "no_such_session"},
		{"GET", "/api/v1/sessions/%2e%2e%2fetc", "", 404, "no_such_session"},
		{"DELETE", "/api/v1/sessions/nobody", "", 404, "no_such_session"},
		{"POST", "/api/v1/sessions/nobody/actors/audio/crash", "", 404, "no_such_session"},
		{"POST", "/api/v1/sessions/" + id + "/actors/soul/crash", "", 404, "no_such_actor"},
		{"POST", "/api/v1/sessions/" + id + "/actors/audio/crash?on=sight", "", 400, "bad_filter"},
		{"GET", "/api/v1/tree?session=nobody", "", 404, "no_such_session"},
		{"GET", "/api/v1/nothing", "", 404, "not_found"},
		{"GET", "/api/v1/", "", 404, "not_found"},
		{"GET", "/console/nothing.js", "", 404, "not_found"},
		{"GET", "/api/v1/sessions?limit=0", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?limit=1001", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?limit=ten", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?limit=1&limit=2", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?state=happy", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?voice=dalek", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?metadata=perhaps", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?sate=waiting", "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?after=" + strings.Repeat("x", 65), "", 400, "bad_filter"},
		{"GET", "/api/v1/sessions?a=%zz", "", 400, "bad_filter"},
		{"GET", "/api/v1/supervision?after=-1", "", 400, "bad_filter"},
		{"GET", "/api/v1/supervision?event=party", "", 400, "bad_filter"},
		{"GET", "/api/v1/supervision?level=loud", "", 400, "bad_filter"},
		{"GET", "/api/v1/events?event=party", "", 400, "bad_filter"},
		{"GET", "/api/v1/events?after=x", "", 400, "bad_filter"},
		{"GET", "/api/v1/stats?after=x", "", 400, "bad_filter"},
		{"GET", "/api/v1/voices?x=y", "", 400, "bad_filter"},
		{"PUT", "/api/v1/sessions", "", 405, "method_not_allowed"},
		{"POST", "/api/v1/sessions/" + id, "", 405, "method_not_allowed"},
		{"GET", "/api/v1/drain", "", 405, "method_not_allowed"},
		{"DELETE", "/api/v1/events", "", 405, "method_not_allowed"},
		{"OPTIONS", "/api/v1/tokens", "", 405, "method_not_allowed"},
		{"POST", "/console", "", 405, "method_not_allowed"},
		{"POST", "/api/v1/drain", "", 404, "not_found"},
		{"POST", "/api/v1/tokens", big, 413, "too_large"},
		{"POST", "/api/v1/drain", big, 413, "too_large"},
		{"DELETE", "/api/v1/sessions/" + id, big, 413, "too_large"},
		{"GET", "/api/v1/sessions", big, 413, "too_large"},
		{"POST", "/api/v1/tokens", "", 400, "bad_body"},
		{"POST", "/api/v1/tokens", `[]`, 400, "bad_body"},
		{"POST", "/api/v1/tokens", `{"sub":"a"}{}`, 400, "bad_body"},
		{"POST", "/api/v1/tokens", `{"sub":"a","admin":true}`, 400, "bad_body"},
		{"POST", "/api/v1/tokens", `{"sub":""}`, 400, "bad_field"},
		{"POST", "/api/v1/tokens", `{"sub":"a\u0000"}`, 400, "bad_field"},
		{"POST", "/api/v1/tokens", `{"sub":"a","ttl_ms":-5}`, 400, "bad_field"},
		{"POST", "/api/v1/tokens", `{"sub":"a","ttl_ms":9223372036854775807}`, 400, "bad_field"},
	} {
		resp, body := r.ask(c.method, c.path, c.body)
		r.wantRefusal(resp, body, c.status, c.code)
		if c.status == http.StatusMethodNotAllowed && resp.Header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", c.method, c.path)
		}
	}
	if got := len(r.order); got != 3 {
		t.Errorf("%d sessions after bad requests, want 3", got)
	}
}

// An oversized body without a length is found out by counting.
func TestChunkedBodyOverTheLimitIsRefused(t *testing.T) {
	r := newRig(t, Options{Drain: func() { t.Error("drained") }}, 0)
	resp, err := http.Post(r.srv.URL+"/api/v1/drain", "", io.MultiReader(strings.NewReader(strings.Repeat("x", maxBody)), strings.NewReader("y")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	r.wantRefusal(resp, string(body), 413, "too_large")
}

func TestActs(t *testing.T) {
	drains := 0
	var sub string
	var ttl time.Duration
	r := newRig(t, Options{
		Drain: func() { drains++ },
		MintToken: func(s string, d time.Duration) (string, error) {
			sub, ttl = s, d
			if s == "broken" {
				return "", errors.New("no key")
			}
			return "secret-token", nil
		},
	}, 3)
	id := r.order[1]
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/api/v1/sessions/" + id + "/actors/audio/crash", "", 202, id},
		{"POST", "/api/v1/sessions/" + id + "/actors/voice/crash?on=frame", "", 202, id},
		{"DELETE", "/api/v1/sessions/" + id, "", 202, id},
		{"POST", "/api/v1/drain", "", 202, "true"},
		{"POST", "/api/v1/drain", "", 202, "true"},
		{"POST", "/api/v1/tokens", `{"sub":"broken"}`, 500, "internal"},
		{"POST", "/api/v1/tokens", `{"sub":"alice","ttl_ms":60000}`, 201, "secret-token"},
	} {
		resp, body := r.ask(c.method, c.path, c.body)
		if resp.StatusCode != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %s %s, want %d with %s", c.method, c.path, resp.Status, body, c.status, c.want)
		}
	}
	if got, want := strings.Join(r.crashes, ", "), id+" audio false, "+id+" voice true"; got != want {
		t.Errorf("crashes: %s, want %s", got, want)
	}
	if _, err := r.Session(id); !errors.Is(err, proto.ErrNoSession) {
		t.Errorf("the ended session is still there: %v", err)
	}
	if drains != 1 {
		t.Errorf("Drain was called %d times, want once", drains)
	}
	if sub != "alice" || ttl != time.Minute {
		t.Errorf("MintToken(%q, %v), want alice for a minute", sub, ttl)
	}
}

func TestCrashDoesNotExistWithoutFaultInjection(t *testing.T) {
	r := newRig(t, Options{}, 1)
	r.faults = false
	for _, id := range []string{r.order[0], "nobody"} {
		resp, body := r.ask("POST", "/api/v1/sessions/"+id+"/actors/audio/crash", "")
		r.wantRefusal(resp, body, 404, "not_found")
	}
}

func TestListsArePagedAndFiltered(t *testing.T) {
	r := newRig(t, Options{}, 250)
	var seen int
	var page sessionPage
	for after := ""; ; after = page.Next {
		page = sessionPage{}
		r.get("/api/v1/sessions?limit=100&after="+after, &page)
		seen += len(page.Sessions)
		if page.Next == "" {
			break
		}
	}
	if seen != 250 {
		t.Errorf("paging saw %d sessions, want 250", seen)
	}
	r.get("/api/v1/sessions?state=paused&limit=1000", &page)
	for _, s := range page.Sessions {
		if s.State != proto.Paused {
			t.Errorf("state=paused gave %s", s.State)
		}
	}
	for range 7 {
		if err := r.Crash(r.order[5], "audio", false); err != nil {
			t.Fatal(err)
		}
	}
	var events eventPage
	r.get("/api/v1/supervision?session="+r.order[5]+"&event=actor_restarted&limit=4", &events)
	if len(events.Events) != 4 || events.Events[0].Restarts != 7 || events.Next == 0 {
		t.Fatalf("first page: %d events, next %d", len(events.Events), events.Next)
	}
	r.get("/api/v1/supervision?event=actor_restarted&level=warn&before=11", &events)
	if len(events.Events) != 5 {
		t.Errorf("before=11 gave %d restarts, want 5", len(events.Events))
	}
	r.get("/api/v1/supervision?actor=voice", &events)
	if events.Events == nil || len(events.Events) != 0 {
		t.Errorf("no events are %v, want an empty list", events.Events)
	}
}

// The books are read, no session is asked: the list is as fast as it can be encoded.
func TestTenThousandSessionsListFast(t *testing.T) {
	r := newRig(t, Options{}, 10_000)
	start, seen := time.Now(), 0
	var page sessionPage
	for after := ""; ; after = page.Next {
		page = sessionPage{}
		r.get("/api/v1/sessions?limit=1000&after="+after, &page)
		seen += len(page.Sessions)
		if page.Next == "" {
			break
		}
	}
	took := time.Since(start)
	t.Logf("listed and decoded %d sessions in %v", seen, took)
	if seen != 10_000 {
		t.Errorf("saw %d sessions", seen)
	}
	// The bound is for encoding alone on a quiet machine; here decoding and the race
	// detector come on top.
	if took > 5*time.Second {
		t.Errorf("listing took %v", took)
	}
}

func BenchmarkList10000(b *testing.B) {
	api := New(Options{}, newFake(10_000))
	mux := http.NewServeMux()
	api.Register(mux.Handle)
	b.ReportAllocs()
	for b.Loop() {
		for after, more := "", true; more; {
			req := httptest.NewRequest("GET", "/api/v1/sessions?limit=1000&after="+after, nil)
			req.RemoteAddr, req.Host = "127.0.0.1:1", "localhost"
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, req)
			if w.Code != http.StatusOK {
				b.Fatal(w.Body.String())
			}
			_, next, _ := strings.Cut(w.Body.String(), `"next":"`)
			after, _, _ = strings.Cut(next, `"`)
			more = after != ""
		}
	}
}
