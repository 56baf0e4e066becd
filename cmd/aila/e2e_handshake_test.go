package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"aila/proto"
)

func TestBadHandshakesAreRefused(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	host := s.addr
	upgrade := []string{"Upgrade: websocket", "Connection: Upgrade"}
	version := "Sec-WebSocket-Version: 13"
	key := "Sec-WebSocket-Key: " + aKey
	good := append(append([]string{}, upgrade...), version, key)
	plus := func(more ...string) []string { return append(append([]string{}, good...), more...) }
	get := "GET /ws HTTP/1.1"
	for _, row := range []struct {
		name, line, host string
		headers          []string
		status           int
		header, value    string // that the answer must have
	}{
		{"foreign origin", get, host, plus("Origin: https://evil.test"), 403, "", ""},
		{"null origin", get, host, plus("Origin: null"), 403, "", ""},
		{"origin with ours as its prefix", get, host, plus("Origin: http://" + host + ".evil.test"), 403, "", ""},
		{"origin with ours as its user", get, host, plus("Origin: http://" + host + "@evil.test"), 403, "", ""},
		{"two origins", get, host, plus("Origin: http://"+host, "Origin: http://"+host), 403, "", ""},
		{"wrong scheme", get, host, plus("Origin: ftp://" + host), 403, "", ""},
		{"forwarded", get, host, plus("X-Forwarded-For: 192.0.2.1"), 403, "", ""},
		{"foreign host", get, "evil.test", good, 403, "", ""},
		{"no upgrade", get, host, nil, 426, "Upgrade", "websocket"},
		{"POST", "POST /ws HTTP/1.1", host, plus("Content-Length: 0"), 405, "Allow", "GET"},
		{"version 8", get, host, append(append([]string{}, upgrade...), "Sec-WebSocket-Version: 8", key), 426, "Sec-Websocket-Version", "13"},
		{"no key", get, host, append(append([]string{}, upgrade...), version), 400, "", ""},
		{"short key", get, host, append(append([]string{}, upgrade...), version, "Sec-WebSocket-Key: c2hvcnQ="), 400, "", ""},
		{"two keys", get, host, plus(key), 400, "", ""},
		{"HTTP/1.0", "GET /ws HTTP/1.0", host, good, 426, "", ""},
		{"unknown subprotocol", get, host, plus("Sec-WebSocket-Protocol: chat"), 400, "", ""},
		{"a lone token", get, host, plus("Sec-WebSocket-Protocol: aila.token.x"), 400, "", ""},
		{"a body", get, host, plus("Content-Length: 2", "", "{}"), 400, "", ""},
		{"headers of 17 KiB", get, host, plus("X-Long: " + strings.Repeat("x", 17<<10)), 431, "", ""},
		{"unknown path", "GET /nowhere HTTP/1.1", host, nil, 404, "", ""},
		{"path traversal", "GET /console/../../etc/passwd HTTP/1.1", host, nil, 404, "", ""},
		{"escaped traversal", "GET /client/%2e%2e/%2e%2e/etc/passwd HTTP/1.1", host, nil, 404, "", ""},
		{"a foreign host everywhere", "GET /healthz HTTP/1.1", "evil.test", nil, 403, "", ""},
		{"a write from another site", "POST /api/v1/drain HTTP/1.1", host, []string{"Origin: https://evil.test", "Content-Length: 0"}, 403, "", ""},
		{"a write that says so", "POST /api/v1/drain HTTP/1.1", host, []string{"Sec-Fetch-Site: cross-site", "Content-Length: 0"}, 403, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := dial(t, s.addr)
			res := p.request(row.line, row.host, row.headers...)
			body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
			if res.StatusCode != row.status {
				t.Fatalf("%s, want %d", res.Status, row.status)
			}
			if row.header != "" && res.Header.Get(row.header) != row.value {
				t.Errorf("%s: %q, want %q", row.header, res.Header.Get(row.header), row.value)
			}
			if bytes.Contains(body, []byte("evil")) {
				t.Errorf("the answer echoes what was sent: %s", body)
			}
			var said struct {
				Error struct{ Code, Message string }
			}
			if row.status != 431 && (json.Unmarshal(body, &said) != nil || said.Error.Code == "" || said.Error.Message == "") {
				t.Errorf("body %q, want an error in JSON", body)
			}
			if row.status == 400 && strings.Contains(strings.Join(row.headers, ""), "Protocol") && !strings.Contains(said.Error.Message, "aila.v1") {
				t.Errorf("message %q, want it to list aila.v1", said.Error.Message)
			}
			other.wantUndisturbed(t)
		})
	}
}

func TestGoodHandshakesAreServed(t *testing.T) {
	s := startServer(t, nil)
	for _, row := range []struct {
		name, header, protocol string
	}{
		{"no origin from this machine", "X-Nothing: 1", ""},
		{"the page's own origin", "Origin: http://" + s.addr, ""},
		{"the subprotocol", "Sec-WebSocket-Protocol: aila.v1", "aila.v1"},
		{"the subprotocol among others", "Sec-WebSocket-Protocol: chat, aila.v1", "aila.v1"},
		{"compression offered", "Sec-WebSocket-Extensions: permessage-deflate", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := dial(t, s.addr)
			res := p.shake(s.addr, row.header)
			if res.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("%s, want 101", res.Status)
			}
			if got := res.Header.Get("Sec-WebSocket-Protocol"); got != row.protocol {
				t.Errorf("subprotocol %q, want %q", got, row.protocol)
			}
			if got := res.Header.Get("Sec-WebSocket-Extensions"); got != "" {
				t.Errorf("extension %q, want none", got)
			}
			p.text(`{"type":"session_control","action":"start"}`)
			want[*proto.SessionStarted](p)
			p.wantServed(1)
		})
	}
}

func TestFullServerSaysSo(t *testing.T) {
	s := startServer(t, func(c *config) { c.MaxSockets, c.MaxSessions = 2, 1 })
	p := s.joined(t)
	refused := connect(t, s.addr)
	refused.text(`{"type":"session_control","action":"start","id":"me"}`)
	if f := want[*proto.Fault](refused); f.Code != proto.Overloaded || !f.Fatal || f.RetryAfterMS <= 0 || f.Ref != "me" {
		t.Errorf("error %+v, want overloaded with a time", f)
	}
	refused.wantClose(proto.CloseOverloaded)

	eventually(t, patience, "the refused socket to be gone", func() bool { return s.house.server.Sockets() == 1 })
	connect(t, s.addr) // the second socket
	third := dial(t, s.addr)
	if res := third.shake(s.addr); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("%s with Retry-After %q, want 503 with one", res.Status, res.Header.Get("Retry-After"))
	}
	browser := connect(t, s.addr, "Origin: http://"+s.addr)
	if f := want[*proto.Fault](browser); f.Code != proto.Overloaded || !f.Fatal || f.RetryAfterMS <= 0 {
		t.Errorf("error %+v, want overloaded with a time", f)
	}
	browser.wantClose(proto.CloseOverloaded)
	if status, _ := ask(t, http.MethodGet, s.page(), "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz %d of a full server, want 503", status)
	}
	p.wantServed(2)
}
