package operator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWithoutAuthOnlyThisMachineIsLetIn(t *testing.T) {
	api := New(Options{}, newFake(1))
	for _, c := range []struct {
		name, remote, host string
		headers            []string
		want               int
	}{
		{"curl on this machine", "127.0.0.1:5", "127.0.0.1:3001", nil, 200},
		{"over IPv6", "[::1]:5", "[::1]:3001", nil, 200},
		{"mapped address", "[::ffff:127.0.0.1]:5", "localhost", nil, 200},
		{"our own page", "127.0.0.1:5", "localhost:3001", []string{"Origin", "http://localhost:3001", "Sec-Fetch-Site", "same-origin"}, 200},
		{"typed into the address bar", "127.0.0.1:5", "localhost:3001", []string{"Sec-Fetch-Site", "none"}, 200},
		{"from the network", "10.0.0.7:5", "localhost:3001", nil, 403},
		{"no address", "", "localhost:3001", nil, 403},
		{"DNS rebinding", "127.0.0.1:5", "evil.test:3001", nil, 403},
		{"a name that only begins well", "127.0.0.1:5", "localhost.evil.test", nil, 403},
		{"no Host", "127.0.0.1:5", "", nil, 403},
		{"behind a proxy", "127.0.0.1:5", "localhost", []string{"X-Forwarded-For", "127.0.0.1"}, 403},
		{"behind a proxy that names the host", "127.0.0.1:5", "localhost", []string{"X-Forwarded-Host", "localhost"}, 403},
		{"behind a standard proxy", "127.0.0.1:5", "localhost", []string{"Forwarded", "for=127.0.0.1"}, 403},
		{"behind another", "127.0.0.1:5", "localhost", []string{"Via", "1.1 p"}, 403},
		{"another site", "127.0.0.1:5", "localhost:3001", []string{"Origin", "http://evil.test"}, 403},
		{"another port of ours", "127.0.0.1:5", "localhost:3001", []string{"Origin", "http://localhost:9"}, 403},
		{"another scheme", "127.0.0.1:5", "localhost:3001", []string{"Origin", "https://localhost:3001"}, 403},
		{"a userinfo trick", "127.0.0.1:5", "localhost:3001", []string{"Origin", "http://x@localhost:3001"}, 403},
		{"a page without origin", "127.0.0.1:5", "localhost:3001", []string{"Origin", "null"}, 403},
		{"two origins", "127.0.0.1:5", "localhost:3001", []string{"Origin", "http://localhost:3001", "Origin", "http://evil.test"}, 403},
		{"a form of another site", "127.0.0.1:5", "localhost:3001", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of a neighbour", "127.0.0.1:5", "localhost:3001", []string{"Sec-Fetch-Site", "same-site"}, 403},
	} {
		r := httptest.NewRequest("GET", "/api/v1/sessions", nil)
		r.RemoteAddr, r.Host = c.remote, c.host
		for i := 0; i+1 < len(c.headers); i += 2 {
			r.Header.Add(c.headers[i], c.headers[i+1])
		}
		if got := api.IsOperator(r); got != (c.want == 200) {
			t.Errorf("%s: IsOperator = %v", c.name, got)
		}
		w := httptest.NewRecorder()
		api.root.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		if strings.Contains(w.Body.String(), "evil") {
			t.Errorf("%s: the answer echoes the input: %s", c.name, w.Body)
		}
	}
}

func TestWithAuthOnlyTheOperatorTokenIsLetIn(t *testing.T) {
	r := newRig(t, Options{
		Token:       func(s string) bool { return s == "op" },
		ClientToken: func(s string) bool { return s == "client" },
	}, 1)
	for _, c := range []struct {
		name   string
		auth   []string
		status int
		code   string
	}{
		{"nothing", nil, 401, "unauthorized"},
		{"wrong", []string{"Authorization", "Bearer nonsense"}, 401, "unauthorized"},
		{"empty", []string{"Authorization", "Bearer "}, 401, "unauthorized"},
		{"another scheme", []string{"Authorization", "Basic op"}, 401, "unauthorized"},
		{"no scheme", []string{"Authorization", "op"}, 401, "unauthorized"},
		{"two of them", []string{"Authorization", "Bearer op", "Authorization", "Bearer op"}, 401, "unauthorized"},
		{"a client's", []string{"Authorization", "Bearer client"}, 403, "forbidden"},
	} {
		for _, path := range []string{"/api/v1/sessions", "/api/v1/events", "/api/v1/openapi.json", "/api/v1/unknown"} {
			resp, body := r.ask("GET", path, "", c.auth...)
			r.wantRefusal(resp, body, c.status, c.code)
			if (resp.Header.Get("WWW-Authenticate") != "") != (c.status == 401) {
				t.Errorf("%s: WWW-Authenticate %q", c.name, resp.Header.Get("WWW-Authenticate"))
			}
		}
	}
	// With auth on neither the address nor a proxy matters.
	if resp, body := r.ask("GET", "/api/v1/sessions", "", "Authorization", "bearer op", "X-Forwarded-For", "10.0.0.1"); resp.StatusCode != 200 {
		t.Errorf("the operator's token: %s %s", resp.Status, body)
	}
}

func TestMetricsArePublicOnlyWhenAskedFor(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for public, want := range map[bool]int{false: 401, true: http.StatusTeapot} {
		api := New(Options{Token: func(string) bool { return false }, MetricsPublic: public}, newFake(0))
		w := httptest.NewRecorder()
		api.MetricsGuard(page).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != want {
			t.Errorf("MetricsPublic %v: %d, want %d", public, w.Code, want)
		}
	}
}
