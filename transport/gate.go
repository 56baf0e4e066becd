package transport

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// gate knows who may come in before anything is asked: which Host is ours, which Origin is
// allowed, and who is on this machine.
type gate struct {
	authOff bool
	allowed []origin
}

// origin is a web origin, in lower case, with its port spelled out.
type origin struct{ scheme, host, port string }

func newGate(o Options) *gate {
	g := &gate{authOff: o.Auth == nil}
	for _, s := range o.AllowedOrigins {
		if or, ok := parseOrigin(s); ok {
			g.allowed = append(g.allowed, or)
		}
	}
	return g
}

// parseOrigin takes an Origin header apart. Nothing but scheme, host and port may be in it.
func parseOrigin(s string) (origin, bool) {
	scheme, rest, ok := strings.Cut(strings.ToLower(s), "://")
	if !ok || rest == "" || strings.ContainsAny(rest, "/?#@\\, \t") {
		return origin{}, false
	}
	o := origin{scheme: scheme}
	switch scheme {
	case "http":
		o.port = "80"
	case "https":
		o.port = "443"
	default:
		return origin{}, false
	}
	host, port := splitHost(rest)
	if o.host = host; port != "" {
		o.port = port
	}
	return o, o.host != ""
}

// splitHost splits a host in lower case, without brackets, from its port, which may be empty.
func splitHost(s string) (host, port string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), ""
	}
	return strings.ToLower(host), port
}

// verdict is what an Origin header is worth.
type verdict int

const (
	noOrigin verdict = iota // not a browser
	goodOrigin
	badOrigin
)

// origin judges the Origin headers of a request.
func (g *gate) origin(r *http.Request) verdict {
	values := r.Header["Origin"]
	if len(values) == 0 {
		return noOrigin
	}
	o, ok := parseOrigin(values[0])
	if !ok || len(values) > 1 {
		return badOrigin
	}
	if slices.Contains(g.allowed, o) {
		return goodOrigin
	}
	host, port := splitHost(r.Host)
	if port == "" {
		port = "80"
		if o.scheme == "https" {
			port = "443"
		}
	}
	// Without TLS here the scheme is not known: a proxy may have taken TLS off.
	if o.host != host || o.port != port || r.TLS != nil && o.scheme != "https" {
		return badOrigin
	}
	return goodOrigin
}

// host tells whether the Host header is ours: loopback, the address the request came to, or
// that of an allowed origin. A page that rebinds its own name to us fails it. No Host at all
// is no browser's.
func (g *gate) host(r *http.Request) bool {
	host, _ := splitHost(r.Host)
	if host == "" || host == "localhost" {
		return true
	}
	if slices.ContainsFunc(g.allowed, func(o origin) bool { return o.host == host }) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if ip.Unmap().IsLoopback() {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	here, err := netip.ParseAddrPort(local.String())
	return err == nil && here.Addr().Unmap().WithZone("") == ip.Unmap().WithZone("")
}

// forwarded tells whether a proxy left its mark.
func forwarded(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded") || name == "Forwarded" || name == "X-Real-Ip" || name == "Via" {
			return true
		}
	}
	return false
}

// loopback tells whether the peer itself is on this machine.
func (g *gate) loopback(r *http.Request) bool {
	return remote(r).IsLoopback() && !forwarded(r.Header)
}

// remote is the peer's address.
func remote(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

// Local tells whether a request was made on this machine and by nobody else through it: a
// loopback peer, no proxy's mark, a Host of ours, and no other site's page behind it.
func (s *Server) Local(r *http.Request) bool {
	g := s.gate
	return g.loopback(r) && g.host(r) && g.origin(r) != badOrigin && !foreignFetch(r)
}

// foreignFetch tells whether a browser says that another site's page is behind the request.
func foreignFetch(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return true
}

// admit tells whether a request may be served at all: with auth off no foreign Host, and
// never a write from another site.
func (g *gate) admit(r *http.Request) bool {
	if g.authOff && !g.host(r) {
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	switch g.origin(r) {
	case badOrigin:
		return false
	case goodOrigin:
		return true
	}
	return !foreignFetch(r)
}
