package operator

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"aila/proto"
)

// Options are what an API may be given. The zero value serves loopback only, mints no tokens
// and does not drain.
type Options struct {
	// Token tells whether a bearer token is an operator's. Nil: auth is off, and only
	// loopback is let in.
	Token func(string) bool
	// ClientToken tells whether a bearer token is a client's, which earns a 403 and not a
	// 401. Nil: none is.
	ClientToken func(string) bool
	// Drain begins what SIGTERM does and returns at once. It is called at most once. Nil:
	// POST /api/v1/drain is 404.
	Drain func()
	// MintToken makes a client's token for a subject. Nil: POST /api/v1/tokens is 404.
	MintToken func(sub string, ttl time.Duration) (string, error)
	// Log is told what operators did.
	Log zerolog.Logger
	// MetricsPublic lets everybody read /metrics; see MetricsGuard.
	MetricsPublic bool
	// Heartbeat is how often an event stream with nothing to say says so. Zero means 10 s.
	Heartbeat time.Duration
	// EventBuffer is how many events a reader of the stream may fall behind before it is
	// dropped. Zero means 1024.
	EventBuffer int
	// MaxReaders bounds the event streams open at once. Zero means 64.
	MaxReaders int
}

// API answers operators. Its methods may be called from any goroutine.
type API struct {
	// Set by New.
	opt  Options
	op   proto.Operator
	root http.Handler
	done context.Context
	// Close ends every event stream, so that http.Server.Shutdown need not wait for them;
	// more calls do nothing. Hand it to http.Server.RegisterOnShutdown.
	Close func()

	drain   sync.Once
	history history

	readers atomic.Int64 // event streams open
	dropped atomic.Int64 // event streams ended because their reader was too slow
}

// New makes the API over op. It starts no goroutine.
func New(o Options, op proto.Operator) *API {
	if o.Heartbeat == 0 {
		o.Heartbeat = 10 * time.Second
	}
	if o.EventBuffer == 0 {
		o.EventBuffer = 1024
	}
	if o.MaxReaders == 0 {
		o.MaxReaders = 64
	}
	a := &API{opt: o, op: op}
	a.done, a.Close = context.WithCancel(context.Background())
	a.root = a.guard(a.mux())
	return a
}

// Register mounts the API and the console on the server's own mux.
func (a *API) Register(handle func(pattern string, h http.Handler)) {
	handle("/api/v1/", a.root)
	page := a.console()
	handle("/console", page)
	handle("/console/", page)
}

// route is one path of the API and what each method does there.
type route struct {
	path    string
	methods map[string]handler
}

// handler answers one request: a status and what to encode, or a *failure. A handler that
// wrote the answer itself returns status 0.
type handler func(w http.ResponseWriter, r *http.Request) (status int, body any, err error)

// routes is the API. The OpenAPI document is held against it by a test.
func (a *API) routes() []route {
	return []route{
		{"/api/v1/sessions", map[string]handler{"GET": a.listSessions}},
		{"/api/v1/sessions/{id}", map[string]handler{"GET": a.showSession, "DELETE": a.endSession}},
		{"/api/v1/sessions/{id}/actors/{actor}/crash", map[string]handler{"POST": a.crashActor}},
		{"/api/v1/supervision", map[string]handler{"GET": a.listEvents}},
		{"/api/v1/events", map[string]handler{"GET": a.streamEvents}},
		{"/api/v1/tree", map[string]handler{"GET": a.showTree}},
		{"/api/v1/stats", map[string]handler{"GET": a.showStats}},
		{"/api/v1/voices", map[string]handler{"GET": a.listVoices}},
		{"/api/v1/drain", map[string]handler{"POST": a.startDrain}},
		{"/api/v1/tokens", map[string]handler{"POST": a.mintToken}},
		{"/api/v1/openapi.json", map[string]handler{"GET": a.showOpenAPI}},
	}
}

// mux serves the routes; any other path is a 404 in the API's own words.
func (a *API) mux() http.Handler {
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		mux.Handle(r.path, r)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, fail(http.StatusNotFound, "not_found", "no such path"))
	})
	return mux
}
