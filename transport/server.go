package transport

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"aila/proto"
)

// Options are what a Server may be given. The zero value serves without auth.
type Options struct {
	// MaxSockets bounds the sockets open at once. Zero means 25000.
	MaxSockets int
	// MaxPerAddress bounds the sockets of one address (of one /64 for IPv6) and of one token
	// subject. Loopback is exempt while auth is off. Zero means 256.
	MaxPerAddress int
	// MaxQueueBytes is how much may wait for a client that reads too slowly. Zero means 256 KiB.
	MaxQueueBytes int64
	// MaxMessageBytes bounds a message from a client. Zero means 256 KiB.
	MaxMessageBytes int64
	// AllowedOrigins are further origins that pages may come from, such as
	// https://app.example.com. The page's own host and port are always allowed.
	AllowedOrigins []string
	// Auth checks clients' tokens. Nil: auth is off.
	Auth Authenticator
	// Insecure lets clients without an Origin in from everywhere while auth is off, and not
	// from loopback only.
	Insecure bool
	// IsOperator tells whether a request may read /metrics. Nil: with auth off whoever is
	// local (see Local), else nobody.
	IsOperator func(*http.Request) bool
	// MetricsPublic lets everybody read /metrics.
	MetricsPublic bool
	// LogAddresses shows operators addresses instead of keyed hashes of them.
	LogAddresses bool
	// Log is told what went wrong, never what was said.
	Log zerolog.Logger
	// Metrics is what /metrics serves; the Server's own are registered with it. Nil: a new one.
	Metrics *prometheus.Registry
}

// Authenticator tells who a client's token speaks for and when it ends; a zero time: never.
type Authenticator interface {
	Authenticate(token string) (subject string, expires time.Time, err error)
}

// A Server carries messages between sockets and the sessions of its Opener. Its methods may
// be called from any goroutine, Handle only before Serve.
type Server struct {
	// Set by New.
	opt     Options
	opener  proto.Opener
	log     zerolog.Logger
	gate    *gate
	limits  *limits
	metrics *metrics
	mux     *http.ServeMux
	http    *http.Server
	key     [32]byte      // of the hashes of addresses
	born    time.Time     // what the clock counts from
	every   time.Duration // between two sweeps of a socket; 0: tests call sweep
	end     context.CancelFunc

	clock    atomic.Int64 // nanoseconds since born at the last sweep
	draining atomic.Bool

	tasks    sync.WaitGroup // every goroutine that serves sockets
	sweeping sync.WaitGroup
	swept    chan struct{} // closed: the sweep goroutine ends

	mu       sync.Mutex
	sockets  roster
	began    bool // the sweep goroutine runs
	stopping bool
}

// New makes a Server. Its Handle, Serve and Shutdown come next.
func New(o Options, opener proto.Opener) *Server {
	if o.MaxSockets == 0 {
		o.MaxSockets = 25_000
	}
	if o.MaxPerAddress == 0 {
		o.MaxPerAddress = 256
	}
	if o.MaxQueueBytes == 0 {
		o.MaxQueueBytes = 256 << 10
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = 256 << 10
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	s := &Server{
		opt: o, opener: opener, log: o.Log, mux: http.NewServeMux(), born: time.Now(),
		every: sweepEvery, swept: make(chan struct{}),
		limits: newLimits(o.MaxSockets, o.MaxPerAddress),
	}
	s.gate = newGate(o)
	s.metrics = newMetrics(o.Metrics, s)
	rand.Read(s.key[:])
	life, end := context.WithCancel(context.Background())
	s.end = end
	s.http = newHTTP(s.front(), s.log)
	s.http.BaseContext = func(net.Listener) context.Context { return life }
	s.routes(life)
	return s
}

// Handle serves h at a pattern of http.ServeMux. The request's context also ends when
// Shutdown begins.
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// Serve accepts connections on l until Shutdown, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	s.begin()
	return served(s.http.Serve(&listener{Listener: l, server: s}))
}

// ServeTLS is Serve with TLS. c must hold certificates, or a way to get them.
func (s *Server) ServeTLS(l net.Listener, c *tls.Config) error {
	s.begin()
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"}
	return served(s.http.Serve(tls.NewListener(&listener{Listener: l, server: s}, c)))
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// begin starts the sweep, once.
func (s *Server) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began || s.stopping || s.every == 0 {
		return
	}
	s.began = true
	// It ends when Shutdown closes swept.
	s.spawn(&s.sweeping, s.sweepLoop, func() {})
}

// Drain makes /readyz say 503. Sockets are still accepted, because a resume cannot be told
// from a start before the upgrade; the Opener refuses the start.
func (s *Server) Drain() { s.draining.Store(true) }

// Sockets counts the open sockets.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets.n
}

// Shutdown closes the listeners, closes every socket with 1012, and returns when all that
// the Server started has ended. When ctx ends first, it cuts what is left and returns the
// context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.mu.Lock()
	began := s.began && !s.stopping
	s.stopping = true
	open := s.sockets.all()
	s.mu.Unlock()
	s.end()
	for _, sock := range open {
		sock.Close(proto.CloseGoingAway)
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
	}
	done := make(chan struct{})
	// It ends when the last socket has: sooner or later, because cut wakes every read loop.
	go func() {
		s.tasks.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.each((*socket).abandon)
		<-done
		err = ctx.Err()
	}
	if began {
		close(s.swept)
	}
	s.sweeping.Wait()
	if err != nil {
		return fmt.Errorf("wait for sockets: %w", err)
	}
	return nil
}

// add takes a socket in and starts its read loop. It returns false once Shutdown began.
func (s *Server) add(life context.Context, sock *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.sockets.add(sock)
	// It ends with the socket.
	s.spawn(&s.tasks, func() { sock.live(life) }, func() {})
	return true
}

// remove forgets a socket that has ended.
func (s *Server) remove(sock *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets.remove(sock)
}

// each calls f for every socket open now.
func (s *Server) each(f func(*socket)) {
	s.mu.Lock()
	open := s.sockets.all()
	s.mu.Unlock()
	for _, sock := range open {
		f(sock)
	}
}

// newHTTP makes the HTTP server with its bounds.
func newHTTP(h http.Handler, logger zerolog.Logger) *http.Server {
	var only http.Protocols
	only.SetHTTP1(true) // a WebSocket is an upgrade of HTTP/1.1
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    12 << 10, // net/http adds 4 KiB of its own
		Protocols:         &only,
		// Its lines hold addresses, and what a peer sent.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}
