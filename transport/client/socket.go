package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// socket is one WebSocket of a session.
type socket struct {
	// set by connect
	ws  *websocket.Conn
	raw net.Conn // what lies under it; nil where the HTTP client hides it

	// guarded by the session's mu
	attachBy time.Time // when start or resume must have been answered
	attached bool      // it was: the session is on this socket
	dead     bool      // a write failed: the reading goroutine will soon see it
	writing  bool      // a goroutine writes
	replayTo int64     // server seqs up to this one are replays
	left     bool      // we leave it, to resume elsewhere

	// owned by run
	resume resume
}

// resume is how a session was taken up on a socket.
type resume struct {
	took  time.Duration // since the last socket was lost
	again int           // messages to be said again
}

// sharedHTTP is the client of all sessions that bring no dialer of their own.
var sharedHTTP = newHTTPClient(nil, nil)

// newHTTPClient makes a client for handshakes. Connections that were not upgraded are not
// kept, since no session would ever use them again.
func newHTTPClient(dial func(context.Context, string, string) (net.Conn, error), conf *tls.Config) *http.Client {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:              http.ProxyFromEnvironment,
		DialContext:        dial,
		TLSClientConfig:    conf,
		DisableKeepAlives:  true,
		DisableCompression: true,
	}}
}

// connect opens a socket. Its errors are *HandshakeError or the network's.
func (s *Session) connect(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.ConnectTimeout)
	defer cancel()
	k := &socket{}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			k.raw = i.Conn
			if t, ok := i.Conn.(*tls.Conn); ok {
				k.raw = t.NetConn() // closing it never waits, closing TLS may
			}
		},
	})
	header := s.o.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if token := s.authorization(); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	began := time.Now()
	ws, resp, err := websocket.Dial(ctx, s.url, &websocket.DialOptions{
		HTTPClient:     s.o.HTTPClient,
		HTTPHeader:     header,
		Subprotocols:   []string{"aila.v1"},
		OnPingReceived: func(context.Context, []byte) bool { return s.pinged(k) },
	})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, &HandshakeError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header)}
		}
		var unwrapped *url.Error // what it is wrapped in says only how sockets are made
		if errors.As(err, &unwrapped) {
			err = unwrapped.Err
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	if t := s.o.Trace.Connected; t != nil {
		t(time.Since(began))
	}
	ws.SetReadLimit(readLimit)
	k.ws = ws
	return k, nil
}

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// kill ends the socket at once, from any goroutine; the reading one notices.
func (k *socket) kill() {
	if k.raw != nil {
		k.raw.Close()
		return
	}
	go k.ws.CloseNow() // waits for reader and writer to let go, which takes no time
}

// reset ends the socket so rudely that the peer sees a connection reset.
func (k *socket) reset() {
	if t, ok := k.raw.(*net.TCPConn); ok {
		t.SetLinger(0) // an error means that it is closed already
	}
	k.kill()
}
