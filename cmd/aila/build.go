package main

import (
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"

	"aila/actors"
	"aila/transport"
	"aila/transport/browser"
	"aila/transport/operator"
)

// house is what build put together: the sessions, what listens for them, and its operators' API.
type house struct {
	gateway *actors.Gateway
	server  *transport.Server
	api     *operator.API
	traces  *traces      // nil: off
	cert    *certificate // nil: without TLS
}

// build puts the house together. It calls drain when an operator asks for one.
func build(c config, log zerolog.Logger, drain func()) (*house, error) {
	doors, err := readDoors(c)
	if err != nil {
		return nil, err
	}
	voices, err := openVoices(c)
	if err != nil {
		return nil, err
	}
	h := &house{}
	if c.TLSCert != "" {
		if h.cert, err = loadCertificate(c.TLSCert, c.TLSKey, log); err != nil {
			return nil, err
		}
	}
	if h.traces, err = openTraces(log); err != nil {
		return nil, err
	}
	h.gateway = actors.Start(actors.Options{
		Log:            log,
		Voices:         voices,
		MaxSessions:    c.MaxSessions,
		MaxAudioRate:   c.MaxAudioRate,
		ResumeWindow:   c.ResumeWindow,
		IdleTimeout:    c.IdleTimeout,
		MaxSession:     c.MaxSession,
		FaultInjection: c.FaultInjection,
	})
	h.api = operator.New(operator.Options{
		Token:         doors.operator,
		ClientToken:   doors.client,
		MintToken:     doors.mint,
		MetricsPublic: c.MetricsPublic,
		Drain:         drain,
		Log:           log,
	}, h.gateway)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		operator.NewCollector(h.gateway), h.api)
	h.server = transport.New(transport.Options{
		MaxSockets:     c.MaxSockets,
		MaxPerAddress:  c.MaxPerAddress,
		MaxQueueBytes:  c.MaxQueue,
		AllowedOrigins: c.AllowedOrigins,
		Auth:           doors.auth,
		Insecure:       c.Insecure,
		IsOperator:     h.api.IsOperator,
		MetricsPublic:  c.MetricsPublic,
		LogAddresses:   c.LogAddresses,
		Log:            log,
		Metrics:        metrics,
	}, h.traces.opener(h.gateway))
	h.api.Register(h.server.Handle)
	browser.Register(h.server.Handle)
	if c.Pprof {
		h.server.Handle("/debug/pprof/", profiles(h.api))
	}
	return h, nil
}

// serve answers on l until the server is shut down.
func (h *house) serve(l net.Listener) error {
	if h.cert != nil {
		return h.server.ServeTLS(l, h.cert.config())
	}
	return h.server.Serve(l)
}

// doors are who may come in; all nil while auth is none.
type doors struct {
	auth     transport.Authenticator
	client   func(token string) bool
	operator func(token string) bool
	mint     func(subject string, ttl time.Duration) (string, error)
}

func readDoors(c config) (d doors, err error) {
	if c.Auth == authNone {
		return d, nil
	}
	tokens, err := readTokens(c.AuthSecretFile)
	if err != nil {
		return d, err
	}
	d.auth, d.mint = tokens, tokens.Mint
	d.client = func(token string) bool { _, _, err := tokens.Authenticate(token); return err == nil }
	// Without an operators' token nobody is one: nil would let in whoever is on this machine.
	d.operator = func(string) bool { return false }
	if c.OperatorTokenFile == "" {
		return d, nil
	}
	operators, err := readOperator(c.OperatorTokenFile)
	if err != nil {
		return d, err
	}
	d.operator = operators.Allows
	return d, nil
}

// profiles serves Go's profiles to operators.
func profiles(api *operator.API) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !api.IsOperator(r) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"error":{"code":"forbidden","message":"profiles are for operators"}}`+"\n")
			return
		}
		mux.ServeHTTP(w, r)
	})
}
