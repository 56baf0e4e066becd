package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aila/proto"
)

// What every HTTP request meets first, and the few paths that are the Server's own.

// Bounds on a request's body.
const (
	maxBody      = 1 << 20
	bodyPatience = 10 * time.Second
)

// routes registers the Server's own paths. life ends with Shutdown.
func (s *Server) routes(life context.Context) {
	s.mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { s.handshake(life, w, r) })
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	s.mux.HandleFunc("GET /readyz", s.readyz)
	pages := promhttp.HandlerFor(s.opt.Metrics, promhttp.HandlerOpts{})
	s.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !s.maySeeMetrics(r) {
			refuse(w, http.StatusForbidden, "forbidden", "metrics are for operators")
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// readyz tells a load balancer whether to send new clients here.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		refuse(w, http.StatusServiceUnavailable, "draining", "this server is going away")
		return
	}
	if s.limits.full() || !s.opener.Accepting() {
		refuse(w, http.StatusServiceUnavailable, string(proto.Overloaded), "this server is full")
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (s *Server) maySeeMetrics(r *http.Request) bool {
	switch {
	case s.opt.MetricsPublic:
		return true
	case s.opt.IsOperator != nil:
		return s.opt.IsOperator(r)
	}
	return s.opt.Auth == nil && s.Local(r)
}

// front is the handler of every request.
func (s *Server) front() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.rescue(w)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !s.gate.admit(r) {
			refuse(w, http.StatusForbidden, "forbidden", "this request is not allowed from where it comes")
			return
		}
		// The mux would redirect to the path without them.
		if slices.Contains(strings.Split(r.URL.Path, "/"), "..") {
			refuse(w, http.StatusNotFound, "not_found", "no such path")
			return
		}
		if r.Body != http.NoBody && r.URL.Path != "/ws" {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
		}
		h, pattern := s.mux.Handler(r)
		if pattern == "" {
			astray(w, r, h)
			return
		}
		s.mux.ServeHTTP(w, r)
	})
}

// astray answers what the mux has no handler for, in our own shape.
func astray(w http.ResponseWriter, r *http.Request, h http.Handler) {
	seen := &statusOnly{header: make(http.Header)}
	h.ServeHTTP(seen, r)
	if allow := seen.header.Get("Allow"); seen.status == http.StatusMethodNotAllowed && allow != "" {
		w.Header().Set("Allow", allow)
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "this path allows "+allow)
		return
	}
	refuse(w, http.StatusNotFound, "not_found", "no such path")
}

// statusOnly is a ResponseWriter that keeps the status and the headers.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }

// rescue answers for a handler that panicked.
func (s *Server) rescue(w http.ResponseWriter) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.logPanic(v)
	refuse(w, http.StatusInternalServerError, string(proto.Internal), "the server could not answer; its log says why")
}

// spawn runs f on a goroutine of a group that Shutdown waits for; broke is called if f panics.
func (s *Server) spawn(group *sync.WaitGroup, f, broke func()) {
	group.Add(1)
	// It ends with f.
	go func() {
		defer group.Done()
		defer s.recovered(broke)
		f()
	}()
}

// recovered, deferred, turns a panic into a log line and a call of broke.
func (s *Server) recovered(broke func()) {
	v := recover()
	if v == nil {
		return
	}
	s.logPanic(v)
	broke()
}

// logPanic logs what broke: the type and the stack, never the value, which may hold words.
func (s *Server) logPanic(v any) {
	s.metrics.panics.Inc()
	s.log.Error().Str("reason", fmt.Sprintf("%T", v)).Bytes("stack", debug.Stack()).Msg("goroutine panicked")
}

// refuse answers with an error in the one shape that all have.
func refuse(w http.ResponseWriter, status int, code, message string) {
	type fault struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	answer(w, status, map[string]fault{"error": {code, message}})
}

// answer writes a status and a body.
func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"encode answer"}}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)+1))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}
