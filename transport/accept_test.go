package transport

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"aila/proto"
)

// wantRefusal checks the status and the shape of a refusal, and that nothing in it was said
// by the client.
func wantRefusal(t *testing.T, res *http.Response, status int) {
	t.Helper()
	require.Equal(t, status, res.StatusCode)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var body struct {
		Error struct{ Code, Message string }
	}
	require.NoError(t, json.Unmarshal(b, &body), "%s", b)
	require.NotEmpty(t, body.Error.Code)
	require.NotEmpty(t, body.Error.Message)
	require.NotContains(t, string(b), "evil")
}

// TestHandshakesAreRefused is the table "Handshake" with auth off.
func TestHandshakesAreRefused(t *testing.T) {
	const upgrade = "Upgrade: websocket|Connection: keep-alive, Upgrade|"
	const version, key = "Sec-WebSocket-Version: 13|", "Sec-WebSocket-Key: " + aKey + "|"
	const good = upgrade + version + key
	rows := []struct {
		name    string
		line    string
		host    string // empty: the server's own
		headers string
		want    int
	}{
		{"origin of another site", "", "", good + "Origin: http://evil.test", 403},
		{"origin null", "", "", good + "Origin: null", 403},
		{"origin empty", "", "", good + "Origin: ", 403},
		{"origin with a suffix", "", "", good + "Origin: https://ok.test.evil.test", 403},
		{"origin with userinfo", "", "", good + "Origin: https://ok.test@evil.test", 403},
		{"origin that ends alike", "", "", good + "Origin: https://evilok.test", 403},
		{"origin of another scheme", "", "", good + "Origin: http://ok.test", 403},
		{"origin of another port", "", "", good + "Origin: https://ok.test:8443", 403},
		{"origin with a path", "", "", good + "Origin: https://ok.test/", 403},
		{"origin of no web scheme", "", "", good + "Origin: file://ok.test", 403},
		{"two origins", "", "", good + "Origin: https://ok.test|Origin: https://ok.test", 403},
		{"no origin, but forwarded", "", "", good + "X-Forwarded-For: 10.0.0.1", 403},
		{"no origin, but forwarded by the standard", "", "", good + "Forwarded: for=10.0.0.1", 403},
		{"no origin, but forwarded by nginx", "", "", good + "X-Real-IP: 10.0.0.1", 403},
		{"foreign host", "", "evil.test", good, 403},
		{"foreign host and origin alike", "", "evil.test", good + "Origin: http://evil.test", 403},
		{"no upgrade", "", "", "Accept: */*", 426},
		{"no upgrade of the connection", "", "", "Upgrade: websocket|" + version + key, 426},
		{"upgrade to something else", "", "", "Upgrade: h2c|Connection: Upgrade|" + version + key, 426},
		{"POST", "POST /ws HTTP/1.1", "", good, 405},
		{"HTTP/1.0", "GET /ws HTTP/1.0", "", good, 426},
		{"version 8", "", "", upgrade + key + "Sec-WebSocket-Version: 8", 426},
		{"no version", "", "", upgrade + key, 426},
		{"no key", "", "", upgrade + version, 400},
		{"short key", "", "", upgrade + version + "Sec-WebSocket-Key: dGhl", 400},
		{"two keys", "", "", good + key, 400},
		{"unknown subprotocols only", "", "", good + "Sec-WebSocket-Protocol: chat, aila.v2", 400},
		{"the subprotocol in capitals", "", "", good + "Sec-WebSocket-Protocol: AILA.V1", 400},
		{"a lone token", "", "", good + "Sec-WebSocket-Protocol: aila.token.abc", 400},
		{"a body", "", "", good + "Content-Length: 2||{}", 400},
		{"a body in chunks", "", "", good + "Transfer-Encoding: chunked||0|", 400},
		{"unknown path", "GET /nothing HTTP/1.1", "", "", 404},
		{"path traversal", "GET /../../etc/passwd HTTP/1.1", "", "", 404},
		{"path traversal in disguise", "GET /%2e%2e/etc/passwd HTTP/1.1", "", "", 404},
		{"unknown method", "DELETE /healthz HTTP/1.1", "", "", 405},
		{"foreign host of a page", "GET /healthz HTTP/1.1", "rebound.evil.test", "", 403},
		{"write from another site", "POST /api/write HTTP/1.1", "", "Origin: http://evil.test|Content-Length: 0", 403},
		{"write that the browser calls foreign", "POST /api/write HTTP/1.1", "", "Sec-Fetch-Site: cross-site|Content-Length: 0", 403},
		{"write of a page on another port", "POST /api/write HTTP/1.1", "", "Sec-Fetch-Site: same-site|Content-Length: 0", 403},
		{"metrics through a proxy", "GET /metrics HTTP/1.1", "", "X-Forwarded-For: 10.0.0.1", 403},
	}
	r := newRig(t, Options{AllowedOrigins: []string{"https://ok.test"}})
	r.srv.Handle("POST /api/write", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	bystander := r.started()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := r.dial()
			p.t = t
			line, host := row.line, row.host
			if line == "" {
				line = "GET /ws HTTP/1.1"
			}
			if host == "" {
				host = r.addr
			}
			res := p.request(line, host, strings.Split(strings.TrimSuffix(row.headers, "|"), "|")...)
			wantRefusal(t, res, row.want)
			if strings.Contains(row.name, "version") {
				require.Equal(t, "13", res.Header.Get("Sec-WebSocket-Version"))
			}
			bystander.wantServed()
		})
	}
}

func TestHandshakesAreAccepted(t *testing.T) {
	r := newRig(t, Options{AllowedOrigins: []string{"https://ok.test"}})
	_, port, _ := strings.Cut(r.addr, ":")
	rows := []struct {
		name, host string
		headers    []string
		protocol   string
	}{
		{"no origin, no subprotocol", r.addr, nil, ""},
		{"subprotocol", r.addr, []string{"Sec-WebSocket-Protocol: aila.v1"}, "aila.v1"},
		{"subprotocol among others", r.addr, []string{"Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: aila.token.T, aila.v1"}, "aila.v1"},
		{"own page", r.addr, []string{"Origin: http://" + r.addr}, ""},
		{"own page behind TLS that ends elsewhere", r.addr, []string{"Origin: https://" + r.addr}, ""},
		{"own page by name", "localhost:" + port, []string{"Origin: http://localhost:" + port}, ""},
		{"own page in capitals", "LOCALHOST:" + port, []string{"Origin: HTTP://localhost:" + port}, ""},
		{"allowed page", r.addr, []string{"Origin: https://ok.test"}, ""},
		{"allowed page, default port", r.addr, []string{"Origin: https://ok.test:443"}, ""},
		{"allowed page through a proxy", "ok.test", []string{"Origin: https://ok.test", "X-Forwarded-For: 10.0.0.1"}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := r.dial()
			p.t = t
			res := p.shake(row.host, append(row.headers, "Sec-WebSocket-Extensions: permessage-deflate")...)
			require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
			require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", res.Header.Get("Sec-WebSocket-Accept"))
			require.Equal(t, row.protocol, res.Header.Get("Sec-WebSocket-Protocol"))
			require.Empty(t, res.Header.Get("Sec-WebSocket-Extensions"))
			p.wantServed()
		})
	}
}

func TestMessageSentWithTheHandshakeIsServed(t *testing.T) {
	r := newRig(t, Options{})
	p := r.dial()
	p.raw([]byte("GET /ws HTTP/1.1\r\nHost: " + r.addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: " + aKey + "\r\n\r\n" + string(frame(0x81, []byte(`{"type":"ping","id":"early"}`))) + "\x81"))
	p.c.SetReadDeadline(time.Now().Add(patience))
	res, err := http.ReadResponse(p.br, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
	require.Equal(t, "early", p.want("pong").ID)
	p.raw(frame(0x81, []byte(`{"type":"ping","id":"late"}`))[1:])
	require.Equal(t, "late", p.want("pong").ID)
}

func TestHeadersAreBounded(t *testing.T) {
	r := newRig(t, Options{})
	res := r.dial().shake(r.addr, "X-Long: "+strings.Repeat("x", 17<<10))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
	res = r.dial().shake(r.addr, "Authorization: Bearer "+strings.Repeat("x", 9<<10))
	require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode, "9 KiB are not too much")
}

func TestDrippedHeadersAreCut(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	p := r.dial()
	p.raw([]byte("GET /ws HTTP/1.1\r\nHost: "))
	begun := time.Now()
	p.c.SetReadDeadline(begun.Add(2 * patience))
	_, err := io.ReadAll(p.br)
	require.NoError(t, err)
	require.InDelta(t, 5, time.Since(begun).Seconds(), 1)
}

func TestBodiesAreBounded(t *testing.T) {
	r := newRig(t, Options{})
	seen := make(chan error, 1)
	r.srv.Handle("POST /api/write", http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, err := io.Copy(io.Discard, req.Body)
		seen <- err
	}))
	p := r.dial()
	go p.c.Write([]byte("POST /api/write HTTP/1.1\r\nHost: " + r.addr + "\r\nContent-Length: 1048577\r\n\r\n" + strings.Repeat("x", 1<<20+1)))
	var tooLarge *http.MaxBytesError
	require.ErrorAs(t, <-seen, &tooLarge)
}

func TestFullServerRefuses(t *testing.T) {
	rows := []struct {
		name    string
		options Options
		headers []string // of the sockets before, and of the one refused
		status  int
	}{
		{"sockets", Options{MaxSockets: 1}, nil, http.StatusServiceUnavailable},
		{"one address, by token", Options{MaxPerAddress: 1, Auth: tokenFor{}}, []string{"Authorization: Bearer ann"}, http.StatusTooManyRequests},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, row.options)
			bystander := r.connect(row.headers...)
			res := r.dial().shake(r.addr, row.headers...)
			wantRefusal(t, res, row.status)
			require.NotEmpty(t, res.Header.Get("Retry-After"))

			p := r.connect(append(row.headers, "Origin: http://"+r.addr)...)
			require.NotZero(t, p.wantError(proto.Overloaded))
			p.wantClose(proto.CloseOverloaded)

			bystander.wantServed()
			bystander.raw(closeFrame(1000, ""))
			bystander.wantCloseCode(1000, "")
			bystander.c.Close()
			require.Eventually(t, func() bool {
				p := r.dial()
				defer p.c.Close()
				return p.shake(r.addr, row.headers...).StatusCode == http.StatusSwitchingProtocols
			}, patience, time.Millisecond, "the place is free again")
		})
	}
}

func TestOneSubjectIsBounded(t *testing.T) {
	l := newLimits(10, 2)
	subject := func(s string) [2]owner { return [2]owner{{}, {subject: s}} }
	a, status := l.take(subject("ann"))
	require.Zero(t, status)
	_, status = l.take(subject("ann"))
	require.Zero(t, status)
	_, status = l.take(subject("ann"))
	require.Equal(t, http.StatusTooManyRequests, status)
	_, status = l.take(subject("bob"))
	require.Zero(t, status)
	l.leave(a)
	_, status = l.take(subject("ann"))
	require.Zero(t, status)
}

func TestLoopbackIsExemptWhileAuthIsOff(t *testing.T) {
	r := newRig(t, Options{MaxPerAddress: 1, AllowedOrigins: []string{"https://ok.test"}})
	r.connect()
	r.connect()
	proxied := []string{"Origin: https://ok.test", "X-Forwarded-For: 10.0.0.1"}
	r.connect(proxied...)
	p := r.connect(proxied...)
	p.wantError(proto.Overloaded)
	p.wantClose(proto.CloseOverloaded)
}

// tokenFor takes a subject's name for its token, until it is expired.
type tokenFor struct{}

var errToken = errors.New("no such token")

// ending is when the tokens of dan end.
var ending = time.Unix(1<<31, 0)

func (tokenFor) Authenticate(token string) (string, time.Time, error) {
	switch token {
	case "ann", "bob":
		return token, time.Time{}, nil
	case "dan":
		return token, ending, nil
	case "past":
		return token, time.Now().Add(-time.Second), nil
	}
	return "", time.Time{}, errToken
}

func TestTokensAreAsked(t *testing.T) {
	r := newRig(t, Options{Auth: tokenFor{}})
	page := "Origin: http://" + r.addr
	for _, row := range []struct {
		name    string
		headers []string
		status  int // 101: upgraded, then 1008
	}{
		{"none", nil, 401},
		{"wrong", []string{"Authorization: Bearer eve"}, 401},
		{"of another scheme", []string{"Authorization: Basic ann"}, 401},
		{"two", []string{"Authorization: Bearer ann", "Authorization: Bearer ann"}, 401},
		{"9 KiB", []string{"Authorization: Bearer " + strings.Repeat("x", 9<<10)}, 401},
		{"none, from a browser", []string{page}, 101},
		{"wrong, from a browser", []string{page, "Authorization: Bearer eve"}, 101},
		{"wrong, by subprotocol", []string{"Sec-WebSocket-Protocol: aila.v1, aila.token.eve"}, 101},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := r.dial()
			p.t = t
			res := p.shake(r.addr, row.headers...)
			if row.status == 401 {
				wantRefusal(t, res, row.status)
				require.Contains(t, res.Header.Get("WWW-Authenticate"), "Bearer")
				return
			}
			require.Equal(t, row.status, res.StatusCode)
			require.NotContains(t, res.Header.Get("Sec-WebSocket-Protocol"), "token")
			p.wantClose(proto.CloseUnauthorized)
		})
	}
	for _, headers := range [][]string{{"Authorization: bearer dan"}, {"Sec-WebSocket-Protocol: aila.v1, aila.token.dan", page}} {
		p := r.connect(headers...)
		p.text(`{"type":"session_control","action":"start"}`)
		p.want("session_started")
		h := r.echo.hellos[len(r.echo.hellos)-1]
		require.Equal(t, "dan", h.Subject)
		require.True(t, ending.Equal(h.Expires))
		require.NotContains(t, h.Remote, "127.0.0.1")
		require.Len(t, h.Remote, 16)
	}
	require.Empty(t, r.log.String())
}

func TestTokenEndsOnALiveSocket(t *testing.T) {
	r := newRig(t, Options{Auth: tokenFor{}})
	p := r.connect("Authorization: Bearer past")
	p.wantServed()
	r.advance(time.Second)
	p.wantClose(proto.CloseExpired)
}

func TestRefreshTakesTheSameSubjectOnly(t *testing.T) {
	heard := make(chan *proto.Refresh, 1)
	r := newRig(t, Options{Auth: tokenFor{}})
	r.echo.deliver = func(_ *inlet, m proto.Inbound) error {
		heard <- m.(*proto.Refresh)
		return nil
	}
	p := r.connect("Authorization: Bearer dan")
	p.text(`{"type":"session_control","action":"start"}`)
	p.want("session_started")
	p.text(`{"type":"session_control","action":"refresh","token":"dan","id":"r"}`)
	require.Equal(t, &proto.Refresh{ID: "r", Expires: ending}, <-heard)
	p.text(`{"type":"session_control","action":"refresh","token":"bob"}`)
	p.wantClose(proto.CloseUnauthorized)
}

func TestReadyzTellsWhetherThereIsRoom(t *testing.T) {
	r := newRig(t, Options{MaxSockets: 1})
	get := func(path string) int { return r.dial().request("GET "+path+" HTTP/1.1", r.addr).StatusCode }
	require.Equal(t, 200, get("/readyz"))
	r.echo.mu.Lock()
	r.echo.closed = true
	r.echo.mu.Unlock()
	require.Equal(t, 503, get("/readyz"), "the opener is full")
	r.echo.mu.Lock()
	r.echo.closed = false
	r.echo.mu.Unlock()
	p := r.connect()
	require.Equal(t, 503, get("/readyz"), "sockets are full")
	p.wantServed()
	r.srv.Drain()
	require.Equal(t, 503, get("/readyz"), "draining")
	require.Equal(t, 200, get("/healthz"))
	p.wantServed()
}

func TestMetricsCountSockets(t *testing.T) {
	r := newRig(t, Options{})
	r.connect().wantServed()
	p := r.connect()
	p.raw(frame(0x83, nil))
	p.wantClose(proto.CloseProtocol)
	p.c.Close()
	require.Eventually(t, func() bool { return r.srv.Sockets() == 1 }, patience, time.Millisecond)
	res := r.dial().request("GET /metrics HTTP/1.1", r.addr)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(b), "aila_sockets 1\n")
	require.Contains(t, string(b), `aila_socket_closes_total{code="1002"} 1`)
}

func TestPanickingHandlerAnswers500(t *testing.T) {
	r := newRig(t, Options{})
	r.srv.Handle("GET /bug", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the user said hello") }))
	wantRefusal(t, r.dial().request("GET /bug HTTP/1.1", r.addr), 500)
	require.Contains(t, r.log.String(), "goroutine panicked")
	require.NotContains(t, r.log.String(), "hello")
}
