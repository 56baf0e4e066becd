package transport

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/coder/websocket"

	"aila/proto"
)

// subprotocol is the one that is spoken; a token may ride along as a second one.
const (
	subprotocol = "aila.v1"
	tokenPrefix = "aila.token."
)

// retryAfter is what a client that finds no room is told, in seconds.
const retryAfter = 5

// handshake upgrades a request to a socket, or says why not.
func (s *Server) handshake(life context.Context, w http.ResponseWriter, r *http.Request) {
	if f := s.judge(w, r); f != nil {
		s.turnAway(w, f)
		return
	}
	offered := tokens(r.Header, "Sec-Websocket-Protocol")
	v := s.identify(r, offered)
	if v.seat, v.fault = s.limits.take(s.owners(r, v)); v.fault == 0 && !v.known {
		s.limits.leave(v.seat)
		v.fault = http.StatusUnauthorized
	}
	if v.fault != 0 && !s.tellAfterwards(&v) {
		s.tellBefore(w, v.fault)
		return
	}
	if slices.Contains(offered, subprotocol) {
		w.Header().Set("Sec-WebSocket-Protocol", subprotocol)
	}
	s.upgrade(life, w, r, v)
}

// tellAfterwards tells whether a client that is refused must be upgraded to hear why: a
// browser does not see a status. It takes a seat for it.
func (s *Server) tellAfterwards(v *visitor) bool {
	if !v.browser && !(v.fault == http.StatusUnauthorized && v.byProtocol) {
		return false
	}
	seat, ok := s.limits.takeSpare()
	v.seat = seat
	return ok
}

// tellBefore refuses a client before the upgrade.
func (s *Server) tellBefore(w http.ResponseWriter, status int) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="aila"`)
		s.turnAway(w, &refusal{status, "unauthorized", "a valid token is needed"})
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	s.turnAway(w, &refusal{status, string(proto.Overloaded), "no room for another connection"})
}

// refusal is why a handshake fails.
type refusal struct {
	status        int
	code, message string
}

func (s *Server) turnAway(w http.ResponseWriter, f *refusal) {
	s.metrics.refused.WithLabelValues(strconv.Itoa(f.status)).Inc()
	refuse(w, f.status, f.code, f.message)
}

// judge finds what is wrong with a handshake itself, whoever makes it.
func (s *Server) judge(w http.ResponseWriter, r *http.Request) *refusal {
	h := w.Header()
	switch {
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		return &refusal{http.StatusMethodNotAllowed, "method_not_allowed", "a WebSocket begins with GET"}
	case !r.ProtoAtLeast(1, 1), !has(r.Header, "Connection", "upgrade"), !has(r.Header, "Upgrade", "websocket"):
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		return &refusal{http.StatusUpgradeRequired, "upgrade_required", "this path speaks WebSocket over HTTP/1.1"}
	case !one(r.Header, "Sec-Websocket-Version", "13"):
		h.Set("Sec-WebSocket-Version", "13")
		return &refusal{http.StatusUpgradeRequired, "upgrade_required", "the WebSocket version must be 13"}
	case !goodKey(r.Header["Sec-Websocket-Key"]):
		return &refusal{http.StatusBadRequest, "bad_request", "one Sec-WebSocket-Key of 16 bytes in base64 is needed"}
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return &refusal{http.StatusBadRequest, "bad_request", "an upgrade has no body"}
	}
	offered := tokens(r.Header, "Sec-Websocket-Protocol")
	if len(offered) > 0 && !slices.Contains(offered, subprotocol) {
		return &refusal{http.StatusBadRequest, "bad_subprotocol", "the supported subprotocol is " + subprotocol}
	}
	verdict := s.gate.origin(r)
	alone := verdict == noOrigin && s.opt.Auth == nil && !s.opt.Insecure && !s.gate.loopback(r)
	if verdict == badOrigin || alone {
		return &refusal{http.StatusForbidden, "forbidden", "connections from this origin are not allowed"}
	}
	if s.isStopping() {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
		return &refusal{http.StatusServiceUnavailable, "draining", "this server is going away"}
	}
	return nil
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// goodKey tells whether there is exactly one key and it is 16 bytes.
func goodKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(b) == 16
}

// one tells whether there is exactly one header of a name, with this value.
func one(h http.Header, name, value string) bool {
	v := h[name]
	return len(v) == 1 && strings.TrimSpace(v[0]) == value
}

// tokens are the values of headers that hold lists.
func tokens(h http.Header, name string) []string {
	var all []string
	for _, line := range h[name] {
		for t := range strings.SplitSeq(line, ",") {
			if t = strings.TrimSpace(t); t != "" {
				all = append(all, t)
			}
		}
	}
	return all
}

// has tells whether a list header holds a token, in any case.
func has(h http.Header, name, token string) bool {
	return slices.ContainsFunc(tokens(h, name), func(t string) bool { return strings.EqualFold(t, token) })
}

// visitor is who asks for a socket.
type visitor struct {
	hello      proto.Hello
	known      bool // auth is off, or the token good
	browser    bool
	byProtocol bool // the token came as a subprotocol
	fault      int  // the status with which it is refused; 0: it is not
	seat       seat
}

// identify checks the token and notes where it came from.
func (s *Server) identify(r *http.Request, offered []string) visitor {
	v := visitor{browser: s.gate.origin(r) == goodOrigin}
	v.hello.Remote = s.address(remote(r))
	if s.opt.Auth == nil {
		v.known = true
		return v
	}
	token := bearer(r.Header)
	for _, o := range offered {
		if t, found := strings.CutPrefix(o, tokenPrefix); found {
			v.byProtocol = true
			if token == "" {
				token = t
			}
		}
	}
	if token == "" {
		return v
	}
	subject, expires, err := s.opt.Auth.Authenticate(token)
	if err != nil {
		return v
	}
	v.known, v.hello.Subject, v.hello.Expires = true, subject, expires
	return v
}

// bearer is the token of the one Authorization header; empty: there is none.
func bearer(h http.Header) string {
	values := h["Authorization"]
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// owners is whom a socket is counted for.
func (s *Server) owners(r *http.Request, v visitor) (o [2]owner) {
	if s.opt.Auth != nil || !s.gate.loopback(r) {
		o[0].addr = network(remote(r))
	}
	o[1].subject = v.hello.Subject
	return o
}

// address is a peer's address as operators may see it.
func (s *Server) address(a netip.Addr) string {
	if s.opt.LogAddresses {
		return a.String()
	}
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write(a.AsSlice())
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// upgrade makes the socket and starts its read loop. A visitor with a fault is only told it.
func (s *Server) upgrade(life context.Context, w http.ResponseWriter, r *http.Request, v visitor) {
	take := &takeover{ResponseWriter: w, server: s}
	ws, err := websocket.Accept(take, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		s.limits.leave(v.seat)
		return
	}
	ws.SetReadLimit(-1) // the inspector's
	sock := take.socket
	sock.br.Reset(wire{socket: sock})
	sock.ws, sock.hello, sock.seat = ws, v.hello, v.seat
	sock.setExpires(v.hello.Expires)
	if v.fault != 0 {
		sock.sendAway(v.fault)
	}
	if !s.add(life, sock) {
		sock.Close(proto.CloseGoingAway)
		sock.pipe.Close()
		s.limits.leave(v.seat)
	}
}

// sendAway tells a client why it is refused, in place of a status.
func (s *socket) sendAway(status int) {
	if status == http.StatusUnauthorized {
		s.Close(proto.CloseUnauthorized)
		return
	}
	s.say(&proto.Fault{Code: proto.Overloaded, Message: "no room for another connection", Fatal: true, RetryAfterMS: retryAfter * 1000})
	s.Close(proto.CloseOverloaded)
}

// takeover is the ResponseWriter that the library upgrades. It takes the connection from
// net/http, turns it into a socket, and gives the library the socket's wire.
type takeover struct {
	http.ResponseWriter
	server *Server
	socket *socket
}

// The library's own buffers are small: its reads are copies from the intake, and what it
// writes are control frames, which must come out whole.
const (
	wireReadBytes  = 32
	wireWriteBytes = 2 + maxControl
)

// Hijack implements http.Hijacker.
func (t *takeover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	p, ok := conn.(*pipe)
	secure, overTLS := conn.(*tls.Conn)
	if overTLS {
		p, ok = secure.NetConn().(*pipe)
	}
	if !ok {
		conn.Close()
		return nil, nil, errors.New("connection is not TCP")
	}
	p.upgrade(overTLS)
	t.socket = newSocket(t.server, conn, p)
	early, _ := brw.Reader.Peek(brw.Reader.Buffered())
	t.socket.in.preload(early)
	w := wire{socket: t.socket}
	t.socket.br = bufio.NewReaderSize(w, wireReadBytes)
	return w, bufio.NewReadWriter(t.socket.br, bufio.NewWriterSize(w, wireWriteBytes)), nil
}
